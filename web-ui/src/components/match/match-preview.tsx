"use client";

import { CircleAlert, TriangleAlert } from "lucide-react";
import { useTranslations } from "use-intl";
import { ErrorState } from "@/components/ui/error-state";
import { SeverityBadge } from "@/components/ui/severity";
import { Skeleton } from "@/components/ui/skeleton";
import { RelativeTime } from "@/components/ui/time";
import { api } from "@/lib/api/client";
import { kindOf } from "@/lib/api/errors";
import type { components } from "@/lib/api/schema";
import { useSettled } from "@/lib/use-settled";
import { type Match, matchesAll } from "./match-form";

/** Which of the newest events the conditions hold for; follows what is typed. */
export function MatchPreview({ match }: { match: Match }) {
  const t = useTranslations("match.preview");
  const settled = useSettled(match);
  const { data, error, refetch } = api.useQuery(
    "post",
    "/api/v1/silences/preview",
    { body: { match: settled } },
    { placeholderData: (before) => before, retry: false },
  );
  return (
    <section aria-live="polite" className="grid grid-cols-1 gap-3 rounded-lg border bg-sunken p-4">
      {matchesAll(match) && (
        <p className="flex items-start gap-2 font-medium text-warning">
          <TriangleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
          {t("all")}
        </p>
      )}
      {error && kindOf(error) !== "invalid" ? (
        <ErrorState error={error} isInline onRetry={() => void refetch()} />
      ) : error ? (
        <p className="flex items-start gap-2 text-critical">
          <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
          <bdi>{error instanceof Error ? error.message : ""}</bdi>
        </p>
      ) : data ? (
        <Hits data={data} />
      ) : (
        <Skeleton className="w-1/2" aria-label={t("looking")} />
      )}
    </section>
  );
}

function Hits({ data }: { data: components["schemas"]["SilencePreviewView"] }) {
  const t = useTranslations("match.preview");
  if (data.events === 0) return <p className="text-muted">{t("none")}</p>;
  return (
    <div className="grid grid-cols-1 gap-3">
      <p className="font-medium tabular-nums">{t("hits", { hits: data.hits, events: data.events })}</p>
      {data.examples.length > 0 && (
        <ul aria-label={t("newest")} className="grid gap-1.5">
          {data.examples.map((event) => (
            <li key={event.id} className="flex items-center gap-2 text-sm">
              <SeverityBadge severity={event.severity} />
              <bdi className="min-w-0 flex-1 truncate">{event.subject}</bdi>
              <span className="shrink-0 text-muted">
                <RelativeTime at={event.received_at} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
