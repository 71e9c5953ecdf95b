"use client";

import { Badge } from "@/components/ui/badge";
import { api } from "@/lib/api/client";

/** The channels by id. */
export function useChannels() {
  const { data, ...query } = api.useQuery("get", "/api/v1/channels");
  return { ...query, channels: data?.items };
}

/** Channels by name, or what it means that there are none. */
export function ChannelNames({ ids, none }: { ids: number[]; none: string }) {
  const { channels } = useChannels();
  if (ids.length === 0) return <span className="text-muted text-sm">{none}</span>;
  return (
    <span className="flex min-w-0 flex-wrap gap-1.5">
      {ids.map((id) => (
        <Badge key={id} tone="accent" className="max-w-full">
          <bdi className="truncate">{channels?.find((channel) => channel.id === id)?.name ?? `#${id}`}</bdi>
        </Badge>
      ))}
    </span>
  );
}
