"use client";

import { useFormatter } from "use-intl";

const UNITS = { ms: "millisecond", s: "second", m: "minute", h: "hour", d: "day" } as const;

/** A span of time as settings write it, `20s`, in the viewer's words; what is written otherwise stays as it is. */
export function useSpan(): (written: string) => string {
  const format = useFormatter();
  return (written) => {
    const [, number, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(written) ?? [];
    const known = Object.entries(UNITS).find(([short]) => short === unit)?.[1];
    return known ? format.number(Number(number), { style: "unit", unit: known, unitDisplay: "short" }) : written;
  };
}
