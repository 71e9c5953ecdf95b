"use client";

import { useState } from "react";
import { api } from "@/lib/api/client";
import { errorOf } from "@/lib/api/errors";

const AGAIN_MS = 1_500;

/** The event that came last; asked for again and again, since one waits for it here. */
export function useLatestEvent() {
  const { data, error } = api.useQuery(
    "get",
    "/api/v1/events",
    { params: { query: { limit: 1 } } },
    { refetchInterval: AGAIN_MS, staleTime: 0 },
  );
  return { event: data?.items[0], isKnown: data !== undefined, error };
}

/**
 * Sends an alert of ours through the same door as any sender, to the channel that the token belongs to. Answers the
 * event's id.
 */
export function useSample(token: string | undefined) {
  const [isBusy, setBusy] = useState(false);
  const [error, setError] = useState<unknown>();
  const send = async (title: string, message: string): Promise<string | undefined> => {
    setBusy(true);
    setError(undefined);
    try {
      const body = JSON.stringify({ title, message, severity: "warning", host: "sample-1", source: "watchbell guide" });
      const headers = { "Content-Type": "application/json" };
      const answer = await fetch(`/api/v1/push/${token}`, { method: "POST", headers, body });
      if (!answer.ok) throw await errorOf(answer);
      const { push_id: id }: { push_id?: string } = await answer.json();
      return id;
    } catch (failure) {
      setError(failure);
      return undefined;
    } finally {
      setBusy(false);
    }
  };
  return { send, isBusy, error };
}
