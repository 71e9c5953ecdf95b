"use client";

import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useEffectEvent, useMemo, useRef, useState } from "react";
import { type LiveChange, type LiveState, listen } from "./live-stream";
import type { paths } from "./schema";

type Listener = (change: LiveChange) => void;

interface Live {
  state: LiveState;
  subscribe: (listener: Listener) => () => void;
}

const LiveContext = createContext<Live | undefined>(undefined);

/** One connection for the whole page. After a gap, everything on screen is fetched again in place. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const cache = useQueryClient();
  const [state, setState] = useState<LiveState>("off");
  const [listeners] = useState(() => new Set<Listener>());

  useEffect(
    () =>
      listen({
        url: "/api/v1/live",
        onState: setState,
        onChange: (change) => {
          for (const listener of listeners) listener(change);
        },
        onGap: () => void cache.invalidateQueries(),
      }),
    [cache, listeners],
  );

  const live = useMemo<Live>(() => {
    const subscribe = (listener: Listener) => {
      listeners.add(listener);
      return () => void listeners.delete(listener);
    };
    return { state, subscribe };
  }, [state, listeners]);

  return <LiveContext value={live}>{children}</LiveContext>;
}

/** Whether what is on screen follows the server. */
export function useLiveState(): LiveState {
  return useContext(LiveContext)?.state ?? "off";
}

/** Calls `listener` with each change, as long as the component is on screen. */
export function useLive(listener: Listener): void {
  const subscribe = useContext(LiveContext)?.subscribe;
  const onChange = useEffectEvent(listener);
  useEffect(() => subscribe?.((change) => onChange(change)), [subscribe]);
}

/** Changes come many a second; what is counted and drawn is fetched at most once in this time. */
const REFRESH_MS = 800;

/** Fetches the answers of these paths again, in place, when something changed: the first change at once. */
export function useLiveRefresh(...paths: (keyof paths)[]): void {
  const cache = useQueryClient();
  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const fetchedAt = useRef(0);
  useLive(() => {
    const pause = Math.max(fetchedAt.current + REFRESH_MS - Date.now(), 0);
    timer.current ??= setTimeout(() => {
      timer.current = undefined;
      fetchedAt.current = Date.now();
      for (const path of paths) void cache.invalidateQueries({ queryKey: ["get", path] });
    }, pause);
  });
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [],
  );
}
