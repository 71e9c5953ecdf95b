"use client";

import { ApiError } from "@/lib/api/errors";
import { ErrorState } from "./error-state";

/** Stands in the place of a screen that broke. */
export function BrokenScreen({ error, reset }: { error: Error; reset: () => void }) {
  // A part of the screen that did not arrive. The page does not ask for it a second time, so the whole page is.
  if (error.name === "ChunkLoadError") {
    const missing = new ApiError(0, "NETWORK", error.message);
    return <ErrorState error={missing} onRetry={() => window.location.reload()} />;
  }
  return <ErrorState error={error} onRetry={reset} />;
}
