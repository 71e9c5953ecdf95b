"use client";

import dynamic from "next/dynamic";
import { useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Link } from "@/components/ui/link";
import { Select } from "@/components/ui/select";
import { Skeleton } from "@/components/ui/skeleton";
import { NUMBERS, Table, Td, Th, Tr } from "@/components/ui/table";
import { api } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";

// Charts are heavy.
const UsageChart = dynamic(() => import("./usage-chart").then((module) => module.UsageChart), {
  loading: () => <Skeleton className="h-60" />,
});

const SPANS = ["7", "30", "90", "365"] as const;

/** Requests per day, and the keys with the most of them. */
export function Usage() {
  const t = useTranslations("gateway.usage");
  const [days, setDays] = useState<string>("30");
  const init = { params: { query: { days: Number(days) } } };
  const { data, error, refetch } = api.useQuery("get", "/api/v1/gateway/usage", init, {
    placeholderData: (before) => before,
  });
  const choice = (
    <Select
      aria-label={t("days")}
      className="h-8 w-40"
      value={days}
      onValueChange={setDays}
      options={SPANS.map((value) => ({ value, label: t("span", { days: Number(value) }) }))}
    />
  );
  const format = useFormatter();
  const sum = (name: "allowed" | "intercepted") => data?.days.reduce((total, day) => total + day[name], 0) ?? 0;
  return (
    <div className="grid gap-5">
      <Card title={t("title")} aside={choice}>
        {error && !data ? (
          <ErrorState error={error} onRetry={() => void refetch()} />
        ) : !data ? (
          <Skeleton className="h-60" />
        ) : (
          <>
            <p className="mb-4 text-muted">
              {t("summary", { allowed: format.number(sum("allowed")), intercepted: format.number(sum("intercepted")) })}
            </p>
            <UsageChart days={data.days} />
          </>
        )}
      </Card>
      {data && data.busiest.length > 0 && <Busiest keys={data.busiest} />}
    </div>
  );
}

function Busiest({ keys }: { keys: components["schemas"]["BusyKey"][] }) {
  const t = useTranslations("gateway.usage");
  const format = useFormatter();
  return (
    <section className="grid gap-3">
      <h2 className="font-semibold">{t("busiest")}</h2>
      <Table>
        <thead>
          <Tr>
            <Th className="w-full">{t("columns.key")}</Th>
            <Th className={NUMBERS}>{t("allowed")}</Th>
            <Th className={NUMBERS}>{t("intercepted")}</Th>
          </Tr>
        </thead>
        <tbody>
          {keys.map(({ key, masked, allowed, intercepted }) => (
            <Tr key={key}>
              <Td>
                {masked ? (
                  <bdi className="font-mono text-sm">{masked}</bdi>
                ) : (
                  <span className="text-muted">{t("unbound")}</span>
                )}
              </Td>
              <Td className={NUMBERS}>{format.number(allowed)}</Td>
              <Td className={NUMBERS}>
                {intercepted > 0 ? (
                  <Link
                    href={`/gateway/?tab=interceptions&key=${key}`}
                    className="text-accent hover:underline"
                    aria-label={t("open", { key: masked ?? t("unbound"), count: intercepted })}
                  >
                    {format.number(intercepted)}
                  </Link>
                ) : (
                  format.number(0)
                )}
              </Td>
            </Tr>
          ))}
        </tbody>
      </Table>
    </section>
  );
}
