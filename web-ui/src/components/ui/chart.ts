// How charts look: the parts of Recharts that take no class names.

export const AXIS = { stroke: "var(--muted)", fontSize: 12, tickLine: false, axisLine: false } as const;

export const TOOLTIP = {
  contentStyle: {
    background: "var(--surface)",
    border: "1px solid var(--line)",
    borderRadius: "0.4375rem",
    color: "var(--ink)",
  },
  labelStyle: { color: "var(--muted)" },
  isAnimationActive: false,
} as const;
