const DAY_MS = 86_400_000;

/** The spans that end now, in days. */
export const SPANS = { day: 1, week: 7, month: 30 } as const;

/** Stands among the spans for days that are named. */
export const NAMED = "days";

/** From when and until when the URL asks: a span that ends now, or days in the viewer's time zone, both included. */
export function periodOf(params: URLSearchParams, now: number): { since?: string; before?: string } {
  const span = params.get("span");
  if (span === NAMED) return { since: midnight(params.get("from"), 0), before: midnight(params.get("to"), 1) };
  const days = Object.entries(SPANS).find(([name]) => name === span)?.[1];
  return { since: days && new Date(now - days * DAY_MS).toISOString() };
}

/** The beginning of a day, or of one some days later. */
function midnight(day: string | null, later: number): string | undefined {
  if (!day || !/^\d{4}-\d\d-\d\d$/.test(day)) return undefined;
  const at = new Date(`${day}T00:00`);
  if (Number.isNaN(at.getTime())) return undefined;
  // Not 24 hours: clocks may be changed that day.
  at.setDate(at.getDate() + later);
  return at.toISOString();
}
