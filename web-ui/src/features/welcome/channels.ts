"use client";

import { api } from "@/lib/api/client";

/** The channels, those made last first: that is where one is in this guide. */
export function useChannels() {
  const { data, error, refetch } = api.useQuery("get", "/api/v1/channels");
  const channels = data?.items.toSorted((one, other) => other.id - one.id);
  return { channels, error, refetch };
}
