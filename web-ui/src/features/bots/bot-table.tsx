"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "use-intl";
import { ProvisionedBadge } from "@/components/connect/provisioned";
import { Badge } from "@/components/ui/badge";
import { Link } from "@/components/ui/link";
import { Switch } from "@/components/ui/switch";
import { NUMBERS, Table, Td, Th, Tr } from "@/components/ui/table";
import { RelativeTime } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import type { Bot } from "./bot";

export function BotTable({ bots }: { bots: Bot[] }) {
  const t = useTranslations("bots");
  const platforms = api.useQuery("get", "/api/v1/platforms", {}, { staleTime: Number.POSITIVE_INFINITY });
  const channels = api.useQuery("get", "/api/v1/channels");
  const titleOf = (id: string) => platforms.data?.items.find((platform) => platform.id === id)?.title ?? id;
  return (
    <Table>
      <thead>
        <Tr>
          <Th>{t("name")}</Th>
          <Th>{t("platform")}</Th>
          <Th className={`${NUMBERS} hidden sm:table-cell`}>{t("channels")}</Th>
          <Th className="hidden lg:table-cell">{t("changed")}</Th>
          <Th className="text-end">{t("enabled")}</Th>
        </Tr>
      </thead>
      <tbody>
        {bots.map((bot) => (
          <Tr key={bot.id}>
            <Td>
              <div className="flex flex-wrap items-center gap-2 py-1.5">
                <Link href={`/bots/?id=${bot.id}`} className="font-medium hover:text-accent hover:underline">
                  <bdi>{bot.name}</bdi>
                </Link>
                {bot.provisioned && <ProvisionedBadge />}
                {bot.description && <bdi className="w-full text-muted text-sm">{bot.description}</bdi>}
              </div>
            </Td>
            <Td className="whitespace-nowrap">{titleOf(bot.platform)}</Td>
            <Td className={`${NUMBERS} hidden sm:table-cell`}>
              {channels.data &&
                t("count", { count: channels.data.items.filter((each) => each.bot_id === bot.id).length })}
            </Td>
            <Td className="hidden text-muted lg:table-cell">
              <RelativeTime at={bot.updated_at} />
            </Td>
            <Td className="text-end">
              <EnabledSwitch bot={bot} />
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}

/** Lets messages through the bot's channels or not; for those who may not decide, says how it is. */
export function EnabledSwitch({ bot }: { bot: Bot }) {
  const t = useTranslations("bots");
  const { mayEdit } = useSession();
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
  if (!mayEdit || bot.provisioned) {
    return <Badge tone={bot.enabled ? "success" : "neutral"}>{bot.enabled ? t("on") : t("off")}</Badge>;
  }
  const isOn = enable.isPending || (bot.enabled && !disable.isPending);
  return (
    <Switch
      className="align-middle"
      aria-label={t("switch", { name: bot.name })}
      checked={isOn}
      onCheckedChange={(wanted) => (wanted ? enable : disable).mutate({ params: { path: { id: bot.id } } })}
    />
  );
}
