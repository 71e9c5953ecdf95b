"use client";

import { QueryCache, QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { ApiError, passesByItself } from "./errors";

const ATTEMPTS_MAX = 3;
const PAUSE_MAX_MS = 8_000;
/** Two parts of a screen that want the same at once ask once; whoever comes back later sees how it is now. */
const FRESH_MS = 2_000;

/** Said once when a request finds the session ended; the shell then asks to sign in without leaving the page. */
export const SESSION_ENDED = "watchbell-session-ended";

/**
 * One cache of the server's answers. Answers stay on screen while the server is away.
 *
 * Whether there is a network is not asked: the server may run on this machine or in a network without a way out, which
 * a browser takes for offline. A request that was held back until it is online would then never be sent, and what
 * waits for it would neither come nor fail.
 */
export function createCache(): QueryClient {
  return new QueryClient({
    queryCache: new QueryCache({
      onError(error, query) {
        const hadAnswer = query.state.data !== undefined;
        if (error instanceof ApiError && error.status === 401 && hadAnswer) {
          window.dispatchEvent(new Event(SESSION_ENDED));
        }
      },
    }),
    defaultOptions: {
      queries: {
        networkMode: "always",
        // Not by itself with that mode; when a network comes back, what is on screen is looked at again.
        refetchOnReconnect: true,
        staleTime: FRESH_MS,
        retry: (failures, error) => failures < ATTEMPTS_MAX && passesByItself(error),
        retryDelay: (failures) => Math.min(500 * 2 ** failures, PAUSE_MAX_MS),
      },
      mutations: { networkMode: "always" },
    },
  });
}

export function ApiProvider({ children }: { children: ReactNode }) {
  const [cache] = useState(createCache);
  return <QueryClientProvider client={cache}>{children}</QueryClientProvider>;
}
