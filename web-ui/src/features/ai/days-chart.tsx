"use client";

import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { useFormatter, useTranslations } from "use-intl";
import { AXIS, TOOLTIP } from "@/components/ui/chart";
import type { components } from "@/lib/api/schema";
import type { Sum } from "./days-card";

/** A bar for each day. The sums stand beside it in words, so it is hidden from readers of the screen. */
export function DaysChart({ days, sum }: { days: components["schemas"]["AiUsageDay"][]; sum: Sum }) {
  const t = useTranslations("ai.days");
  const format = useFormatter();
  const number = (value: unknown) => format.number(Number(value), { maximumFractionDigits: 4 });
  // Days are counted in UTC.
  const short = (at: string) => format.dateTime(new Date(at), { day: "numeric", month: "numeric", timeZone: "UTC" });
  const long = (at: unknown) => format.dateTime(new Date(String(at)), { dateStyle: "medium", timeZone: "UTC" });
  return (
    <div dir="ltr" aria-hidden>
      <ResponsiveContainer width="100%" height={192}>
        <BarChart data={days} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis dataKey="at" tickFormatter={short} minTickGap={32} {...AXIS} />
          <YAxis width={64} allowDecimals={sum === "cost"} tickFormatter={number} {...AXIS} />
          <Tooltip labelFormatter={long} formatter={number} cursor={{ fill: "var(--hover)" }} {...TOOLTIP} />
          <Bar
            name={t(`sums.${sum}`)}
            dataKey={sum}
            fill="var(--accent)"
            radius={[2, 2, 0, 0]}
            isAnimationActive={false}
          />
        </BarChart>
      </ResponsiveContainer>
    </div>
  );
}
