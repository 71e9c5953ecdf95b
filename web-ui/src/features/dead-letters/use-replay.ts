"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useRef, useState } from "react";
import { client } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import type { Filter } from "./replay-confirm";

type Outcome = components["schemas"]["ReplayOutcome"];

/** The most that one request takes. */
const BATCH = 500;

/** How far a replay is, and what came of it. */
export interface Replay {
  startedAt: string;
  replayed: number;
  skipped: number;
  /** How many there were when it began, as far as known. */
  total: number;
  isRunning: boolean;
  isStopped: boolean;
}

/** Replays dead letters in batches. It can be stopped between two of them. */
export function useReplay() {
  const cache = useQueryClient();
  const [replay, setReplay] = useState<Replay>();
  const stopped = useRef(false);

  const run = async (total: number, next: (outcome?: Outcome) => Promise<Outcome | undefined>) => {
    stopped.current = false;
    let state: Replay = {
      startedAt: new Date().toISOString(),
      replayed: 0,
      skipped: 0,
      total,
      isRunning: true,
      isStopped: false,
    };
    setReplay(state);
    try {
      for (let outcome = await next(); outcome; outcome = stopped.current ? undefined : await next(outcome)) {
        const { replayed, skipped } = outcome;
        state = { ...state, replayed: state.replayed + replayed, skipped: state.skipped + skipped };
        setReplay(state);
      }
    } finally {
      setReplay({ ...state, isRunning: false, isStopped: stopped.current });
      void cache.invalidateQueries();
    }
  };

  const some = (ids: string[]) => {
    const batches = Array.from({ length: Math.ceil(ids.length / BATCH) }, (_, index) =>
      ids.slice(index * BATCH, (index + 1) * BATCH),
    );
    return run(ids.length, async () => {
      const batch = batches.shift();
      return batch && (await client.POST("/api/v1/dead-letters/replay-many", { body: { ids: batch } })).data;
    });
  };

  const all = (filter: Filter, total: number) =>
    run(total, async (before) => {
      if (before && !before.next_cursor) return undefined;
      const { queue = null, channel = null, cause = null } = filter;
      const body = { queue, channel, cause, cursor: before?.next_cursor ?? null };
      return (await client.POST("/api/v1/dead-letters/replay-all", { body })).data;
    });

  const stop = () => {
    stopped.current = true;
  };
  return { replay, some, all, stop };
}
