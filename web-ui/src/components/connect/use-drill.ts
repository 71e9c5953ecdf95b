"use client";

import { useQueryClient } from "@tanstack/react-query";
import { api } from "@/lib/api/client";

/** Long enough to play it through, and over before anybody forgets it. */
const DRILL_SECONDS = 300;

/** Lets a channel pretend to be down for five minutes, and ends that. */
export function useDrill(id: number) {
  const cache = useQueryClient();
  const onSuccess = async () => {
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/channels"] });
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/channels/{id}"] });
  };
  const beginning = api.useMutation("post", "/api/v1/channels/{id}/drill", { onSuccess });
  const ending = api.useMutation("delete", "/api/v1/channels/{id}/drill", { onSuccess });
  const params = { path: { id } };
  return {
    begin: () => beginning.mutateAsync({ params, body: { seconds: DRILL_SECONDS } }),
    end: () => ending.mutateAsync({ params }),
    isBusy: beginning.isPending || ending.isPending,
    error: ending.error ?? beginning.error ?? undefined,
  };
}
