"use client";

import { ErrorState } from "@/components/ui/error-state";

/** A screen that broke; its frame goes on. */
export default function Failed({ error, reset }: { error: Error; reset: () => void }) {
  return <ErrorState error={error} onRetry={reset} />;
}
