"use client";

import { Clock } from "lucide-react";
import { useFormatter, useLocale, useTranslations } from "use-intl";
import { DAYS, type Day, type Rule } from "./rule-form";

// A Monday.
const MONDAY = Date.UTC(2024, 0, 1);
const DAY_MS = 86_400_000;

/** The short name of a day of the week in a language. */
export function dayName(day: Day, locale: string): string {
  const date = new Date(MONDAY + DAYS.indexOf(day) * DAY_MS);
  return new Intl.DateTimeFormat(locale, { weekday: "short", timeZone: "UTC" }).format(date);
}

/** The week's hours of a rule in one line. */
export function RuleHours({ active }: { active: NonNullable<Rule["active"]> }) {
  const t = useTranslations("rules");
  const locale = useLocale();
  const format = useFormatter();
  const hour = (written: string) =>
    format.dateTime(new Date(`1970-01-01T${written.padStart(5, "0")}Z`), { timeStyle: "short", timeZone: "UTC" });
  const days = DAYS.filter((day) => active.days?.includes(day));
  return (
    <span className="inline-flex flex-wrap items-center gap-1.5 text-muted text-sm">
      <Clock className="size-3.5 shrink-0" aria-hidden />
      <span>{days.length === 0 ? t("everyDay") : days.map((day) => dayName(day, locale)).join(" ")}</span>
      <span>
        {hour(active.from)} – {hour(active.to)}
      </span>
      <bdi>{active.timezone ?? "UTC"}</bdi>
    </span>
  );
}
