/** How long a silence usually lasts; `custom` is a moment of one's own. */
export const SPANS = ["1h", "4h", "1d", "7d", "custom"] as const;
export type Span = (typeof SPANS)[number];

const HOUR_MS = 3_600_000;
const SPAN_MS: Record<Exclude<Span, "custom">, number> = {
  "1h": HOUR_MS,
  "4h": 4 * HOUR_MS,
  "1d": 24 * HOUR_MS,
  "7d": 7 * 24 * HOUR_MS,
};

/** A moment as `<input type="datetime-local">` has it, in the viewer's zone. */
export function localOf(date: Date): string {
  const two = (part: number) => String(part).padStart(2, "0");
  const day = [date.getFullYear(), two(date.getMonth() + 1), two(date.getDate())].join("-");
  return `${day}T${two(date.getHours())}:${two(date.getMinutes())}`;
}

/** When a silence that is saved at `now` ends; nothing while the moment of one's own is not a date. */
export function endOf(span: Span, custom: string, now: number): Date | undefined {
  if (span !== "custom") return new Date(now + SPAN_MS[span]);
  const date = new Date(custom);
  return Number.isNaN(date.getTime()) ? undefined : date;
}
