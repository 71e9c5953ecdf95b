import { client } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import type { RuleBody } from "./rule-form";

export type DryRun = components["schemas"]["DryRunView"];

const DAY_MS = 86_400_000;
/** The most that the server looks at in one request. */
const EVENTS_PER_DAY = 20_000;
const EXAMPLES_MAX = 50;

/** What a draft of the rules would have done over some days, newest first; `onDay` gets what is known so far. */
export async function whatIf(
  rules: RuleBody[],
  days: number,
  { signal, onDay }: { signal: AbortSignal; onDay: (done: number, sofar: DryRun) => void },
): Promise<void> {
  const now = Date.now();
  let total: DryRun | undefined;
  for (let day = 0; day < days; day += 1) {
    const { data } = await client.POST("/api/v1/rules/dry-run", {
      signal,
      body: {
        rules,
        until: new Date(now - day * DAY_MS).toISOString(),
        since: new Date(now - (day + 1) * DAY_MS).toISOString(),
        limit: EVENTS_PER_DAY,
      },
    });
    if (!data) return;
    total = total ? together(total, data) : data;
    onDay(day + 1, total);
  }
}

/** Two stretches of time as one; the newer comes first. */
export function together(newer: DryRun, older: DryRun): DryRun {
  const channels = new Map(newer.channels.map((channel) => [channel.id, { ...channel }]));
  for (const channel of older.channels) {
    const known = channels.get(channel.id);
    channels.set(channel.id, {
      ...channel,
      now: channel.now + (known?.now ?? 0),
      draft: channel.draft + (known?.draft ?? 0),
    });
  }
  return {
    events: newer.events + older.events,
    complete: newer.complete && older.complete,
    moved: newer.moved + older.moved,
    lost: newer.lost + older.lost,
    found: newer.found + older.found,
    severity_changed: newer.severity_changed + older.severity_changed,
    channels: [...channels.values()],
    examples: [...newer.examples, ...older.examples].slice(0, EXAMPLES_MAX),
  };
}
