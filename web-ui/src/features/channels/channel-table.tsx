"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "use-intl";
import { EnabledSwitch } from "@/components/connect/enabled-switch";
import { NameCell } from "@/components/connect/name-cell";
import { usePlatformTitle } from "@/components/connect/use-platforms";
import { Cut } from "@/components/ui/cut";
import { SortTh, useSort } from "@/components/ui/sort";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { RelativeTime } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import type { Channel } from "./channel";
import { DrillBadge } from "./drill-card";
import { Health, useHealth } from "./health";

export function ChannelTable({ channels }: { channels: Channel[] }) {
  const t = useTranslations("channels");
  const c = useTranslations("connect");
  const titleOf = usePlatformTitle();
  const healthOf = useHealth();
  const { sorted, sorting } = useSort(channels, {
    name: ({ name }) => name,
    platform: ({ platform }) => titleOf(platform),
    target: ({ target }) => target,
    health: ({ id }) => healthOf(id)?.failing ?? 0,
    changed: ({ updated_at }) => updated_at,
  });
  return (
    <Table>
      <thead>
        <Tr>
          <SortTh column="name" sorting={sorting}>
            {t("name")}
          </SortTh>
          <SortTh column="platform" sorting={sorting} className="max-sm:hidden">
            {t("platform")}
          </SortTh>
          <SortTh column="target" sorting={sorting} className="hidden md:table-cell">
            {t("target")}
          </SortTh>
          <SortTh column="health" sorting={sorting}>
            {t("health.title")}
          </SortTh>
          <SortTh column="changed" sorting={sorting} className="hidden lg:table-cell">
            {t("changed")}
          </SortTh>
          <Th className="text-end">{c("enabled.title")}</Th>
        </Tr>
      </thead>
      <tbody>
        {sorted.map((channel) => (
          <Tr key={channel.id}>
            <NameCell href={`/channels/?id=${channel.id}`} {...channel} badge={channel.drill_until && <DrillBadge />} />
            <Td className="whitespace-nowrap max-sm:hidden">{titleOf(channel.platform)}</Td>
            <Td className="hidden max-w-72 text-muted md:table-cell">
              <Cut>{channel.target}</Cut>
            </Td>
            <Td className="py-2">
              <Health channel={channel} health={healthOf(channel.id)} />
            </Td>
            <Td className="hidden text-muted lg:table-cell">
              <RelativeTime at={channel.updated_at} />
            </Td>
            <Td className="text-end">
              <ChannelSwitch channel={channel} />
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}

export function ChannelSwitch({ channel, hasCaption }: { channel: Channel; hasCaption?: boolean }) {
  const t = useTranslations("channels");
  const cache = useQueryClient();
  const change = api.useMutation("put", "/api/v1/channels/{id}", {
    onSuccess: async ({ name, enabled }) => {
      await cache.invalidateQueries({ queryKey: ["get", "/api/v1/channels"] });
      await cache.invalidateQueries({ queryKey: ["get", "/api/v1/channels/{id}"] });
      toast(enabled ? t("isOn", { name }) : t("isOff", { name }));
    },
    onError: (error) => void toast.error(String(error instanceof Error ? error.message : error)),
  });
  return (
    <EnabledSwitch
      thing={channel}
      label={t("switch", { name: channel.name })}
      isOn={change.isPending ? change.variables.body.enabled === true : channel.enabled}
      hasCaption={hasCaption}
      onChange={(enabled) => change.mutate({ params: { path: { id: channel.id } }, body: { enabled } })}
    />
  );
}
