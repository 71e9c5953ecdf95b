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

/** One cache of the server's answers. Answers stay on screen while the server is away. */
function createCache(): QueryClient {
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
        staleTime: FRESH_MS,
        retry: (failures, error) => failures < ATTEMPTS_MAX && passesByItself(error),
        retryDelay: (failures) => Math.min(500 * 2 ** failures, PAUSE_MAX_MS),
      },
    },
  });
}

export function ApiProvider({ children }: { children: ReactNode }) {
  const [cache] = useState(createCache);
  return <QueryClientProvider client={cache}>{children}</QueryClientProvider>;
}
