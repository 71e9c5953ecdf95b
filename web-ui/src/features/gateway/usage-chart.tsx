"use client";

import { Bar, BarChart, CartesianGrid, Legend, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { useFormatter, useTranslations } from "use-intl";
import { AXIS, TOOLTIP } from "@/components/ui/chart";
import type { components } from "@/lib/api/schema";

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
          <XAxis dataKey="at" tickFormatter={short} minTickGap={32} {...AXIS} />
          <YAxis width={56} allowDecimals={false} tickFormatter={(value) => format.number(value)} {...AXIS} />
          <Tooltip labelFormatter={long} cursor={{ fill: "var(--hover)" }} {...TOOLTIP} />
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
