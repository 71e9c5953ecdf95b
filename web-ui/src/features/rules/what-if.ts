import { client } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import type { RuleBody } from "./rule-form";

export type DryRun = components["schemas"]["DryRunView"];

const DAY_MS = 86_400_000;
/** How many alerts one request looks at: few enough to see it move and to stop it at once. */
const BATCH = 2_000;
const EXAMPLES_MAX = 50;

/** What a draft of the rules would have done so far. */
export interface Sofar {
  /** How much of the time was looked at, from 0 to 1. */
  share: number;
  result: DryRun;
}

/** What a draft of the rules would have done over some days, newest first; `onBatch` gets what is known so far. */
export async function whatIf(
  rules: RuleBody[],
  days: number,
  { signal, onBatch }: { signal: AbortSignal; onBatch: (sofar: Sofar) => void },
): Promise<void> {
  const until = Date.now();
  const since = until - days * DAY_MS;
  const body = { rules, until: new Date(until).toISOString(), since: new Date(since).toISOString(), limit: BATCH };
  let result: DryRun | undefined;
  do {
    const cursor = result?.next_cursor;
    const { data } = await client.POST("/api/v1/rules/dry-run", { signal, body: { ...body, cursor } });
    if (!data) return;
    result = result ? together(result, data) : data;
    const reached = data.reached ? Date.parse(data.reached) : since;
    onBatch({ share: result.next_cursor ? (until - reached) / (until - since) : 1, result });
  } while (result.next_cursor);
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
    complete: older.complete,
    reached: older.reached ?? newer.reached,
    next_cursor: older.next_cursor,
    moved: newer.moved + older.moved,
    lost: newer.lost + older.lost,
    found: newer.found + older.found,
    severity_changed: newer.severity_changed + older.severity_changed,
    channels: [...channels.values()],
    examples: [...newer.examples, ...older.examples].slice(0, EXAMPLES_MAX),
  };
}
