"use client";

import { useQueryClient } from "@tanstack/react-query";
import { createContext, type ReactNode, useContext, useEffect, useEffectEvent, useMemo, useState } from "react";
import { type LiveEvent, type LiveState, listen } from "./live-stream";

type Listener = (data: unknown) => void;

interface Live {
  state: LiveState;
  subscribe: (type: LiveEvent, listener: Listener) => () => void;
}

const LiveContext = createContext<Live | undefined>(undefined);

/** One connection for the whole page. After a gap, everything on screen is fetched again in place. */
export function LiveProvider({ children }: { children: ReactNode }) {
  const cache = useQueryClient();
  const [state, setState] = useState<LiveState>("off");
  const [listeners] = useState(() => new Map<string, Set<Listener>>());

  useEffect(
    () =>
      listen({
        url: "/api/v1/live",
        onState: setState,
        onEvent: (type, data) => {
          for (const listener of listeners.get(type) ?? []) listener(data);
        },
        onGap: () => void cache.invalidateQueries(),
      }),
    [cache, listeners],
  );

  const live = useMemo<Live>(() => {
    const subscribe = (type: LiveEvent, listener: Listener) => {
      const ofType = listeners.get(type) ?? new Set();
      listeners.set(type, ofType.add(listener));
      return () => void ofType.delete(listener);
    };
    return { state, subscribe };
  }, [state, listeners]);

  return <LiveContext value={live}>{children}</LiveContext>;
}

/** Whether what is on screen follows the server. */
export function useLiveState(): LiveState {
  return useContext(LiveContext)?.state ?? "off";
}

/** Calls `listener` with the data of each event of a type, as long as the component is on screen. */
export function useLive(type: LiveEvent, listener: Listener): void {
  const subscribe = useContext(LiveContext)?.subscribe;
  const onEvent = useEffectEvent(listener);
  useEffect(() => subscribe?.(type, (data) => onEvent(data)), [subscribe, type]);
}
