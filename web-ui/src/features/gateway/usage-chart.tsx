"use client";

import { Bar, BarChart, CartesianGrid, Legend, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { useFormatter, useTranslations } from "use-intl";
import type { components } from "@/lib/api/schema";

const axis = { stroke: "var(--muted)", fontSize: 12, tickLine: false, axisLine: false } as const;

/** A bar for each day. The numbers stand beside it in words, so it is hidden from readers of the screen. */
export function UsageChart({ days }: { days: components["schemas"]["UsageDay"][] }) {
  const t = useTranslations("gateway.usage");
  const format = useFormatter();
  // Days are counted in UTC.
  const short = (at: number) => format.dateTime(new Date(at), { day: "numeric", month: "numeric", timeZone: "UTC" });
  const long = (at: unknown) => format.dateTime(new Date(Number(at)), { dateStyle: "medium", timeZone: "UTC" });
  return (
    <div dir="ltr" aria-hidden>
      <ResponsiveContainer width="100%" height={240}>
        <BarChart data={days} accessibilityLayer={false}>
          <CartesianGrid vertical={false} stroke="var(--line)" />
          <XAxis dataKey="at" tickFormatter={short} minTickGap={32} {...axis} />
          <YAxis width={56} allowDecimals={false} tickFormatter={(value) => format.number(value)} {...axis} />
          <Tooltip
            labelFormatter={long}
            isAnimationActive={false}
            cursor={{ fill: "var(--hover)" }}
            contentStyle={{
              background: "var(--surface)",
              border: "1px solid var(--line)",
              borderRadius: "0.4375rem",
              color: "var(--ink)",
            }}
            labelStyle={{ color: "var(--muted)" }}
          />
          <Legend formatter={(name) => <span className="text-ink text-xs">{name}</span>} />
          <Bar name={t("allowed")} dataKey="allowed" stackId="uses" fill="var(--accent)" isAnimationActive={false} />
          <Bar
            name={t("intercepted")}
            dataKey="intercepted"
            stackId="uses"
            fill="var(--critical)"
            isAnimationActive={false}
          />
        </BarChart>
      </ResponsiveContainer>
    </div>
  );
}
