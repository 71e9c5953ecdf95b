"use client";

import { useQueryClient } from "@tanstack/react-query";
import { api } from "@/lib/api/client";

/** Where sample alerts come from, by their own account. */
export const SAMPLE_SOURCE = "sample";

/** Sends a set of sample alerts, and removes them from the history again. */
export function useSamples() {
  const cache = useQueryClient();
  const sending = api.useMutation("post", "/api/v1/samples");
  const removal = api.useMutation("delete", "/api/v1/samples", { onSuccess: () => cache.invalidateQueries() });
  return {
    send: () => sending.mutate({}),
    remove: () => removal.mutateAsync({}),
    isSending: sending.isPending,
    error: sending.error ?? undefined,
  };
}
