"use client";

import { type ReactElement, useState } from "react";
import {
  Area,
  AreaChart,
  CartesianGrid,
  Legend,
  Line,
  LineChart,
  ResponsiveContainer,
  Tooltip,
  XAxis,
  YAxis,
} from "recharts";
import { useFormatter, useTranslations } from "use-intl";
import { Card } from "@/components/ui/card";
import { AXIS, TOOLTIP } from "@/components/ui/chart";
import { ErrorState } from "@/components/ui/error-state";
import { Select } from "@/components/ui/select";
import { Skeleton } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { useLiveRefresh } from "@/lib/api/live";
import type { components } from "@/lib/api/schema";

type Point = components["schemas"]["Point"];

const SPANS = ["1", "6", "24", "168"] as const;

/** What came and went over time, and how long it took. */
export function SeriesCard() {
  const t = useTranslations("overview.chart");
  const [hours, setHours] = useState<string>("6");
  const init = { params: { query: { hours: Number(hours) } } };
  const { data, error, refetch } = api.useQuery("get", "/api/v1/metrics/series", init, {
    placeholderData: (before) => before,
  });
  useLiveRefresh("/api/v1/metrics/series");
  const choice = (
    <Select
      aria-label={t("hours")}
      className="h-8 w-40"
      value={hours}
      onValueChange={setHours}
      options={SPANS.map((value) => ({ value, label: t("span", { hours: Number(value) }) }))}
    />
  );
  return (
    <Card title={t("title")} aside={choice}>
      {error && !data ? (
        <ErrorState error={error} onRetry={refetch} />
      ) : data ? (
        <Charts points={data.points} minutes={data.step_minutes} />
      ) : (
        <Skeleton className="h-64" />
      )}
    </Card>
  );
}

function Charts({ points: series, minutes }: { points: Point[]; minutes: number }) {
  const t = useTranslations("overview.chart");
  const format = useFormatter();
  const points = series.map((point) => ({ ...point, at: Date.parse(point.at) }));
  const sum = (name: "received" | "delivered") => points.reduce((total, point) => total + point[name], 0);
  const hasDays = points.length > 1 && (points.at(-1)?.at ?? 0) - (points[0]?.at ?? 0) > 86_400_000;
  const clock = (at: number) =>
    format.dateTime(
      new Date(at),
      hasDays ? { day: "numeric", month: "numeric" } : { hour: "2-digit", minute: "2-digit" },
    );
  const exact = (at: unknown) => format.dateTime(new Date(Number(at)), { dateStyle: "medium", timeStyle: "short" });
  const seconds = (value: unknown) =>
    t("seconds", { value: format.number(Number(value) / 1_000, { maximumFractionDigits: 2 }) });
  const x = <XAxis dataKey="at" tickFormatter={clock} minTickGap={48} {...AXIS} />;
  const legend = <Legend iconType="plainline" formatter={(name) => <span className="text-ink text-xs">{name}</span>} />;
  const grid = <CartesianGrid vertical={false} stroke="var(--line)" />;
  return (
    <>
      <p className="sr-only">{t("summary", { received: sum("received"), delivered: sum("delivered") })}</p>
      <div className="grid gap-6 lg:grid-cols-2" dir="ltr" aria-hidden>
        <Figure caption={t("throughput", { minutes })}>
          <AreaChart data={points} accessibilityLayer={false}>
            {grid}
            {x}
            <YAxis width={40} allowDecimals={false} tickFormatter={(value) => format.number(value)} {...AXIS} />
            <Tooltip labelFormatter={exact} {...TOOLTIP} />
            {legend}
            <Area
              name={t("received")}
              dataKey="received"
              stroke="var(--accent)"
              fill="var(--accent-soft)"
              isAnimationActive={false}
            />
            <Area
              name={t("delivered")}
              dataKey="delivered"
              stroke="var(--success)"
              strokeDasharray="8 3"
              fill="none"
              isAnimationActive={false}
            />
            <Area
              name={t("dead")}
              dataKey="dead"
              stroke="var(--critical)"
              strokeDasharray="4 3"
              fill="none"
              isAnimationActive={false}
            />
          </AreaChart>
        </Figure>
        <Figure caption={t("latency")}>
          <LineChart data={points} accessibilityLayer={false}>
            {grid}
            {x}
            <YAxis width={56} tickFormatter={seconds} {...AXIS} />
            <Tooltip labelFormatter={exact} formatter={seconds} {...TOOLTIP} />
            {legend}
            <Line
              name={t("average")}
              dataKey="latency_ms"
              stroke="var(--accent)"
              dot={{ r: 1.5, fill: "var(--accent)" }}
              connectNulls
              isAnimationActive={false}
            />
            <Line
              name={t("longest")}
              dataKey="latency_ms_max"
              stroke="var(--line-strong)"
              strokeDasharray="4 3"
              dot={{ r: 1.5, fill: "var(--line-strong)" }}
              connectNulls
              isAnimationActive={false}
            />
          </LineChart>
        </Figure>
      </div>
      {points.every(({ received, delivered }) => received + delivered === 0) && (
        <p className="mt-2 text-center text-muted text-sm">{t("quiet")}</p>
      )}
    </>
  );
}

function Figure({ caption, children }: { caption: string; children: ReactElement }) {
  return (
    <figure className="min-w-0">
      <figcaption dir="auto" className="mb-2 text-muted text-sm">
        {caption}
      </figcaption>
      <ResponsiveContainer width="100%" height={240}>
        {children}
      </ResponsiveContainer>
    </figure>
  );
}
