"use client";

import { CircleCheck, CircleX } from "lucide-react";
import { useTranslations } from "use-intl";
import { Badge } from "@/components/ui/badge";
import { Link } from "@/components/ui/link";
import { Skeleton } from "@/components/ui/skeleton";
import { RelativeTime } from "@/components/ui/time";
import { api } from "@/lib/api/client";
import { useLiveRefresh } from "@/lib/api/live";
import type { components } from "@/lib/api/schema";
import type { Channel } from "./channel";

type ChannelHealth = components["schemas"]["ChannelHealth"];

/** How it went lately with each channel: `null` where nothing was sent, undefined while that is not known. */
export function useHealth(): (channel: number) => ChannelHealth | null | undefined {
  const items = api.useQuery("get", "/api/v1/channels/health").data?.items;
  useLiveRefresh("/api/v1/channels/health");
  return (channel) => items && (items.find((each) => each.channel === channel) ?? null);
}

/** Whether messages arrive in a channel, by icon, word and colour together; it leads to its deliveries. */
export function Health({
  channel: { id, name },
  health,
}: {
  channel: Channel;
  health: ChannelHealth | null | undefined;
}) {
  const t = useTranslations("channels.health");
  if (health === undefined) return <Skeleton className="h-5 w-24" />;
  const at = health?.failing_since ?? health?.delivered_at;
  if (!health || !at) return <span className="text-muted text-sm">{health ? t("waiting") : t("none")}</span>;
  const isFailing = Boolean(health.failing_since);
  const label = isFailing ? t("failing", { count: health.failing }) : t("well");
  return (
    <div className="flex flex-wrap items-center gap-x-2 gap-y-1">
      <Link
        href={`/deliveries/?channel=${id}`}
        aria-label={t("open", { health: label, channel: name })}
        className="inline-flex rounded-sm hover:underline"
      >
        <Badge tone={isFailing ? "critical" : "success"}>
          {isFailing ? <CircleX aria-hidden /> : <CircleCheck aria-hidden />}
          {label}
        </Badge>
      </Link>
      <span className="text-muted text-sm">
        {isFailing ? t.rich("since", { time: () => <RelativeTime at={at} /> }) : <RelativeTime at={at} />}
      </span>
    </div>
  );
}
