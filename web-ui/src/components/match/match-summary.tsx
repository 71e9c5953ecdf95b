"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { SeverityBadge } from "@/components/ui/severity";
import { cn } from "@/lib/cn";
import { type Match, matchesAll, TEXT_CONDITIONS } from "./match-form";

const chip = "inline-flex max-w-full items-baseline gap-1.5 rounded-sm border bg-canvas px-1.5 text-sm leading-5.5";

/** Conditions in one line, each with its name. */
export function MatchSummary({ match, className }: { match: Match; className?: string }) {
  const t = useTranslations("match");
  if (matchesAll(match)) return <span className={cn("text-muted", className)}>{t("everything")}</span>;
  return (
    <span className={cn("flex flex-wrap items-center gap-1.5", className)}>
      {match.severity_at_least && (
        <span className="inline-flex items-center gap-1.5">
          <SeverityBadge severity={match.severity_at_least} />
          <span className="text-muted text-sm">{t("orWorse")}</span>
        </span>
      )}
      {TEXT_CONDITIONS.map((name) => {
        const glob = match[name];
        return glob ? <Condition key={name} name={t(`fields.${name}`)} glob={glob} /> : null;
      })}
      {Object.entries(match.labels).map(([name, glob]) => (
        <Condition key={name} name={<bdi className="font-mono text-xs">{name}</bdi>} glob={glob} />
      ))}
    </span>
  );
}

function Condition({ name, glob }: { name: ReactNode; glob: string }) {
  return (
    <span className={chip}>
      <span className="shrink-0 text-muted">{name}</span>
      <bdi className="truncate font-mono text-xs">{glob || "∅"}</bdi>
    </span>
  );
}
