"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "use-intl";
import { EnabledSwitch } from "@/components/connect/enabled-switch";
import { NameCell } from "@/components/connect/name-cell";
import { usePlatformTitle } from "@/components/connect/use-platforms";
import { SortTh, useSort } from "@/components/ui/sort";
import { NUMBERS, Table, Td, Th, Tr } from "@/components/ui/table";
import { RelativeTime } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import type { Bot } from "./bot";

export function BotTable({ bots }: { bots: Bot[] }) {
  const t = useTranslations("bots");
  const c = useTranslations("connect");
  const titleOf = usePlatformTitle();
  const channels = api.useQuery("get", "/api/v1/channels");
  const usesOf = ({ id }: Bot) => channels.data?.items.filter(({ bot_id }) => bot_id === id).length;
  const { sorted, sorting } = useSort(bots, {
    name: ({ name }) => name,
    platform: ({ platform }) => titleOf(platform),
    channels: usesOf,
    changed: ({ updated_at }) => updated_at,
  });
  return (
    <Table>
      <thead>
        <Tr>
          <SortTh column="name" sorting={sorting}>
            {t("name")}
          </SortTh>
          <SortTh column="platform" sorting={sorting}>
            {t("platform")}
          </SortTh>
          <SortTh column="channels" sorting={sorting} className={`${NUMBERS} hidden sm:table-cell`}>
            {t("channels")}
          </SortTh>
          <SortTh column="changed" sorting={sorting} className="hidden lg:table-cell">
            {t("changed")}
          </SortTh>
          <Th className="text-end">{c("enabled.title")}</Th>
        </Tr>
      </thead>
      <tbody>
        {sorted.map((bot) => (
          <Tr key={bot.id}>
            <NameCell href={`/bots/?id=${bot.id}`} {...bot} />
            <Td className="whitespace-nowrap">{titleOf(bot.platform)}</Td>
            <Td className={`${NUMBERS} hidden sm:table-cell`}>
              {channels.data && t("count", { count: usesOf(bot) ?? 0 })}
            </Td>
            <Td className="hidden text-muted lg:table-cell">
              <RelativeTime at={bot.updated_at} />
            </Td>
            <Td className="text-end">
              <BotSwitch bot={bot} />
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}

/** Lets messages through the bot's channels or not. */
export function BotSwitch({ bot, hasCaption }: { bot: Bot; hasCaption?: boolean }) {
  const t = useTranslations("bots");
  const cache = useQueryClient();
  const then = {
    onSuccess: async ({ name, enabled }: Bot) => {
      await cache.invalidateQueries({ queryKey: ["get", "/api/v1/bots"] });
      await cache.invalidateQueries({ queryKey: ["get", "/api/v1/bots/{id}"] });
      toast(enabled ? t("isOn", { name }) : t("isOff", { name }));
    },
    onError: (error: unknown) => void toast.error(String(error instanceof Error ? error.message : error)),
  };
  const enable = api.useMutation("post", "/api/v1/bots/{id}/enable", then);
  const disable = api.useMutation("post", "/api/v1/bots/{id}/disable", then);
  return (
    <EnabledSwitch
      thing={bot}
      label={t("switch", { name: bot.name })}
      isOn={enable.isPending || (bot.enabled && !disable.isPending)}
      hasCaption={hasCaption}
      onChange={(wanted) => (wanted ? enable : disable).mutate({ params: { path: { id: bot.id } } })}
    />
  );
}
