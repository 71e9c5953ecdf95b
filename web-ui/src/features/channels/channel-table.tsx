"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "use-intl";
import { ProvisionedBadge } from "@/components/connect/provisioned";
import { Badge } from "@/components/ui/badge";
import { Link } from "@/components/ui/link";
import { Switch } from "@/components/ui/switch";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { RelativeTime } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import type { Channel } from "./channel";
import { DrillBadge } from "./drill-card";

export function ChannelTable({ channels }: { channels: Channel[] }) {
  const t = useTranslations("channels");
  const platforms = api.useQuery("get", "/api/v1/platforms", {}, { staleTime: Number.POSITIVE_INFINITY });
  const titleOf = (id: string) => platforms.data?.items.find((platform) => platform.id === id)?.title ?? id;
  return (
    <Table>
      <thead>
        <Tr>
          <Th>{t("name")}</Th>
          <Th>{t("platform")}</Th>
          <Th className="hidden md:table-cell">{t("target")}</Th>
          <Th className="hidden lg:table-cell">{t("changed")}</Th>
          <Th className="text-end">{t("enabled")}</Th>
        </Tr>
      </thead>
      <tbody>
        {channels.map((channel) => (
          <Tr key={channel.id}>
            <Td>
              <div className="flex flex-wrap items-center gap-2 py-1.5">
                <Link href={`/channels/?id=${channel.id}`} className="font-medium hover:text-accent hover:underline">
                  <bdi>{channel.name}</bdi>
                </Link>
                {channel.provisioned && <ProvisionedBadge />}
                {channel.drill_until && <DrillBadge />}
              </div>
            </Td>
            <Td className="whitespace-nowrap">{titleOf(channel.platform)}</Td>
            <Td className="hidden max-w-72 truncate text-muted md:table-cell">
              <bdi>{channel.target}</bdi>
            </Td>
            <Td className="hidden text-muted lg:table-cell">
              <RelativeTime at={channel.updated_at} />
            </Td>
            <Td className="text-end">
              <EnabledSwitch channel={channel} />
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}

/** Switches a channel on and off; for those who may not, says how it is. */
export function EnabledSwitch({ channel }: { channel: Channel }) {
  const t = useTranslations("channels");
  const { mayEdit } = useSession();
  const cache = useQueryClient();
  const change = api.useMutation("put", "/api/v1/channels/{id}", {
    onSuccess: async ({ name, enabled }) => {
      await cache.invalidateQueries({ queryKey: ["get", "/api/v1/channels"] });
      await cache.invalidateQueries({ queryKey: ["get", "/api/v1/channels/{id}"] });
      toast(enabled ? t("isOn", { name }) : t("isOff", { name }));
    },
    onError: (error) => void toast.error(String(error instanceof Error ? error.message : error)),
  });
  if (!mayEdit || channel.provisioned) {
    return <Badge tone={channel.enabled ? "success" : "neutral"}>{channel.enabled ? t("on") : t("off")}</Badge>;
  }
  return (
    <Switch
      className="align-middle"
      aria-label={t("switch", { name: channel.name })}
      checked={change.isPending ? change.variables.body.enabled === true : channel.enabled}
      onCheckedChange={(enabled) => change.mutate({ params: { path: { id: channel.id } }, body: { enabled } })}
    />
  );
}
