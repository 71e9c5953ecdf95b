"use client";

import { useFormatter, useTranslations } from "use-intl";
import { Select } from "@/components/ui/select";

const DAY_S = 86_400;

/** How long something is valid, in days; 0 does not end. */
export const EXPIRY_DAYS = [1, 7, 30, 365, 0] as const;

export function secondsOf(days: number): number | undefined {
  return days > 0 ? days * DAY_S : undefined;
}

/** Chooses how long something is valid. */
export function ExpirySelect({ id, value, onChange }: { id: string; value: number; onChange: (days: number) => void }) {
  const t = useTranslations("team");
  return (
    <Select
      id={id}
      value={String(value)}
      onValueChange={(days) => onChange(Number(days))}
      options={EXPIRY_DAYS.map((days) => ({ value: String(days), label: days ? t("days", { days }) : t("noEnd") }))}
    />
  );
}

/** Until when something is valid. */
export function ExpiryNote({ at }: { at?: string | null }) {
  const t = useTranslations("team");
  const format = useFormatter();
  if (!at) return t("noEnd");
  const time = format.dateTime(new Date(at), { dateStyle: "medium", timeStyle: "short" });
  return new Date(at) < new Date() ? t("expired", { time }) : t("until", { time });
}
