"use client";

import dynamic from "next/dynamic";
import { useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Select } from "@/components/ui/select";
import { Skeleton } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";

// Charts are heavy.
const DaysChart = dynamic(() => import("./days-chart").then((module) => module.DaysChart), {
  loading: () => <Skeleton className="h-48" />,
});

const SPANS = ["14", "30"] as const;
const SUMS = ["calls", "tokens", "cost", "saved_calls"] as const;
export type Sum = (typeof SUMS)[number];

/** What the models were asked on each of the last days: calls, tokens, cost, or calls that were saved. */
export function DaysCard() {
  const t = useTranslations("ai.days");
  const format = useFormatter();
  const [span, setSpan] = useState<string>("14");
  const [sum, setSum] = useState<Sum>("calls");
  const init = { params: { query: { days: Number(span) } } };
  const { data, error, refetch } = api.useQuery("get", "/api/v1/ai-providers/usage/days", init, {
    placeholderData: (before) => before,
  });
  const total = (of: Sum) => data?.items.reduce((all, day) => all + day[of], 0) ?? 0;
  const choice = (
    <Select
      aria-label={t("span")}
      className="h-8 w-40"
      value={span}
      onValueChange={setSpan}
      options={SPANS.map((value) => ({ value, label: t("last", { days: Number(value) }) }))}
    />
  );
  return (
    <Card title={t("title")} aside={choice} className="grid gap-4">
      {error && !data ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <Skeleton className="h-64" />
      ) : (
        <>
          <fieldset className="grid grid-cols-2 gap-2 sm:grid-cols-4">
            <legend className="sr-only">{t("shown")}</legend>
            {SUMS.map((each) => (
              <button
                key={each}
                type="button"
                aria-pressed={sum === each}
                onClick={() => setSum(each)}
                className="rounded-md border border-transparent px-3 py-2 text-start hover:bg-hover aria-pressed:border-accent aria-pressed:bg-accent-soft"
              >
                <span className="block text-muted text-sm">{t(`sums.${each}`)}</span>
                <span className="font-semibold text-lg tabular-nums">
                  {format.number(total(each), { maximumFractionDigits: 4 })}
                </span>
              </button>
            ))}
          </fieldset>
          {total("calls") + total("tokens") + total("saved_calls") === 0 ? (
            <p className="text-muted text-sm">{t("none")}</p>
          ) : (
            <DaysChart days={data.items} sum={sum} />
          )}
        </>
      )}
    </Card>
  );
}
