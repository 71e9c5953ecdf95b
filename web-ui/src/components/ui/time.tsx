"use client";

import { useSyncExternalStore } from "react";
import { useFormatter } from "use-intl";
import { Tooltip } from "./tooltip";

const TICK_MS = 15_000;

// One clock for all times on the page.
const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setInterval> | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  now = Date.now();
  timer ??= setInterval(() => {
    now = Date.now();
    for (const each of listeners) each();
  }, TICK_MS);
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

const currentTime = () => now;

/**
 * "3 minutes ago", kept up to date; the exact time in the viewer's zone on hover and focus. For fetched data only.
 * What has happened is never shown as ahead, whatever the clocks say, unless it `mayBeAhead`.
 */
export function RelativeTime({ at, mayBeAhead = false }: { at: string | Date; mayBeAhead?: boolean }) {
  const format = useFormatter();
  const date = new Date(at);
  const current = useSyncExternalStore(subscribe, currentTime, currentTime);
  const exact = format.dateTime(date, { dateStyle: "full", timeStyle: "long" });
  return (
    <Tooltip text={exact}>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: the exact time is there for the keyboard too */}
      <time dateTime={date.toISOString()} tabIndex={0} className="whitespace-nowrap tabular-nums">
        {format.relativeTime(date, { now: mayBeAhead ? current : Math.max(current, date.getTime()), style: "narrow" })}
      </time>
    </Tooltip>
  );
}
