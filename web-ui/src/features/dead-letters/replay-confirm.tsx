"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { Confirm } from "@/components/ui/confirm";
import { api } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";

/** Which dead letters. */
export interface Filter {
  queue?: components["schemas"]["QueueWord"];
  channel?: number;
  cause?: string;
}

/** Asks before many dead letters are replayed, and says which they are. */
export function ReplayConfirm({
  filter: { queue, channel, cause },
  ...dialog
}: {
  filter: Filter;
  title: string;
  action: string;
  trigger: ReactNode;
  onConfirm: () => Promise<void>;
}) {
  const t = useTranslations("dead-letters");
  const channels = api.useQuery("get", "/api/v1/channels").data?.items;
  const name = channels?.find(({ id }) => id === channel)?.name ?? String(channel);
  return (
    <Confirm isDangerous={false} {...dialog}>
      <div className="grid gap-2">
        {queue && !channel && <p className="text-ink">{t("confirm.queue", { queue: t(`queues.${queue}`) })}</p>}
        {channel && <p className="text-ink">{t("confirm.channel", { channel: name })}</p>}
        {cause && (
          <p className="text-ink">
            {t("confirm.cause")} <bdi className="wrap-anywhere">{cause}</bdi>
          </p>
        )}
        <p>{t("confirm.text")}</p>
        <p>{t("confirm.cancel")}</p>
      </div>
    </Confirm>
  );
}
