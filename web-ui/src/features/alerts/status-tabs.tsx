"use client";

import type { ReactNode } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { STATUSES } from "@/components/ui/severity";
import { Skeleton } from "@/components/ui/skeleton";
import { useFacets } from "./facet-panel";
import type { Filter } from "./filter";

/** The counters, which are the filter: all, firing, acknowledged, resolved, silenced. */
export function StatusTabs({
  filter,
  onChange,
}: {
  filter: Filter;
  onChange: (changes: { status: string | undefined; silenced: string | undefined }) => void;
}) {
  const t = useTranslations("alerts");
  const word = useTranslations("common.status");
  const format = useFormatter();
  const counts = useFacets(filter, "status");
  const chosen = filter.silenced ? "silenced" : filter.status;
  const choose = (status?: string) =>
    onChange(status === "silenced" ? { status: undefined, silenced: "true" } : { status, silenced: undefined });
  const countOf = (status: string) => {
    if (!counts) return undefined;
    if (status === "silenced") return counts.silenced;
    return counts.status.find(({ value }) => value === status)?.count ?? 0;
  };
  return (
    <fieldset className="flex min-w-0 gap-1 overflow-x-auto">
      <legend className="sr-only">{t("facets.status")}</legend>
      <TabButton isChosen={!chosen} label={t("all")} onClick={() => choose()} />
      {STATUSES.map((status) => {
        const count = countOf(status);
        return (
          <TabButton
            key={status}
            isChosen={chosen === status}
            label={word(status)}
            count={count === undefined ? <Skeleton className="w-5" /> : format.number(count)}
            onClick={() => choose(status)}
          />
        );
      })}
    </fieldset>
  );
}

function TabButton({
  isChosen,
  label,
  count,
  onClick,
}: {
  isChosen: boolean;
  label: string;
  count?: ReactNode;
  onClick: () => void;
}) {
  return (
    <button
      type="button"
      aria-pressed={isChosen}
      onClick={onClick}
      className="flex h-9 shrink-0 items-center gap-2 rounded-md px-3 font-medium text-muted hover:bg-hover hover:text-ink aria-pressed:bg-accent-soft aria-pressed:text-accent"
    >
      {label}
      {count !== undefined && <span className="text-sm tabular-nums">{count}</span>}
    </button>
  );
}
