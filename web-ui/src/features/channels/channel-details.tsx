"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "use-intl";
import { BackLink } from "@/components/connect/back-link";
import { Fact, Facts } from "@/components/connect/facts";
import { Load } from "@/components/connect/load";
import { useFieldWords } from "@/components/connect/platform-fields";
import { ProvisionedBadge, ProvisionedNote } from "@/components/connect/provisioned";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Confirm } from "@/components/ui/confirm";
import { Page } from "@/components/ui/page";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { type Field, textOf } from "@/lib/platform-fields";
import { useSession } from "@/lib/session";
import { useGo } from "@/lib/use-go";
import type { Channel } from "./channel";
import { ChannelForm } from "./channel-form";
import { EnabledSwitch } from "./channel-table";
import { DrillCard } from "./drill-card";
import { PushCard } from "./push-card";
import { TestCard } from "./test-card";

/** One channel: its settings, a test, and how programs post to it. */
export function ChannelDetails({ id }: { id: number }) {
  const t = useTranslations("channels");
  const { mayEdit } = useSession();
  const query = api.useQuery("get", "/api/v1/channels/{id}", { params: { path: { id } } });
  const channel = query.data;
  const actions = channel && (
    <div className="flex items-center gap-3">
      {channel.provisioned && <ProvisionedBadge />}
      <span className="flex items-center gap-2 text-muted">
        {mayEdit && !channel.provisioned && t("enabled")}
        <EnabledSwitch channel={channel} />
      </span>
    </div>
  );
  return (
    <>
      <BackLink href="/channels/">{t("title")}</BackLink>
      <Page title={<bdi>{channel?.name ?? t("title")}</bdi>} description={t("one")} actions={actions}>
        <Load query={query} rows={5}>
          {(loaded) => (
            <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,26rem)]">
              {mayEdit && !loaded.provisioned ? <ChannelForm channel={loaded} /> : <ReadOnly channel={loaded} />}
              <div className="grid gap-5 max-lg:order-first">
                {mayEdit && <TestCard id={id} />}
                {mayEdit && <DrillCard channel={loaded} />}
                {loaded.push_token && <PushCard channel={loaded} />}
                {mayEdit && !loaded.provisioned && <DeleteCard channel={loaded} />}
              </div>
            </div>
          )}
        </Load>
      </Page>
    </>
  );
}

function ReadOnly({ channel }: { channel: Channel }) {
  const t = useTranslations("channels");
  const wordsOf = useFieldWords();
  const platforms = api.useQuery("get", "/api/v1/platforms", {}, { staleTime: Number.POSITIVE_INFINITY });
  const bots = api.useQuery("get", "/api/v1/bots");
  const templates = api.useQuery("get", "/api/v1/templates");
  const platform = platforms.data?.items.find(({ id }) => id === channel.platform);
  const bot = bots.data?.items.find(({ id }) => id === channel.bot_id);
  const shown = (field: Field) => {
    if (field.name === "target") return channel.target;
    if (channel.options[`${field.name}_set`] === true) return t("secretSet");
    return textOf(field, channel.options[field.name]);
  };
  return (
    <Card title={t("form.what")}>
      {channel.provisioned && <ProvisionedNote />}
      <Facts>
        <Fact label={t("platform")}>{platform?.title ?? channel.platform}</Fact>
        {bot && (
          <Fact label={t("bot.label")}>
            <bdi>{bot.name}</bdi>
          </Fact>
        )}
        {platform?.fields
          .filter((field) => shown(field))
          .map((field) => (
            <Fact key={field.name} label={wordsOf(platform.id, field)}>
              <bdi>{shown(field)}</bdi>
            </Fact>
          ))}
        <Fact label={t("rate")}>{t("perMinute", { count: channel.rate_per_min })}</Fact>
        <Fact label={t("dedup")}>{t("seconds", { count: channel.dedup_window_s })}</Fact>
        {channel.templates.map((use) => (
          <Fact key={`${use.template_id} ${use.sort_order}`} label={t("uses.title")}>
            <bdi>{templates.data?.items.find(({ id }) => id === use.template_id)?.name ?? use.template_id}</bdi>
            {use.condition && <bdi className="ms-2 font-mono text-muted text-sm">{use.condition}</bdi>}
          </Fact>
        ))}
      </Facts>
    </Card>
  );
}

function DeleteCard({ channel }: { channel: Channel }) {
  const t = useTranslations("channels");
  const go = useGo();
  const cache = useQueryClient();
  const remove = api.useMutation("delete", "/api/v1/channels/{id}");
  const confirm = async () => {
    await remove.mutateAsync({ params: { path: { id: channel.id } } });
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/channels"] });
    toast(t("remove.done", { name: channel.name }));
    go("/channels/");
  };
  return (
    <Card title={t("remove.title")}>
      <p className="mb-4 text-muted">{t("remove.text")}</p>
      <Confirm
        trigger={<Button variant="danger">{t("remove.action")}</Button>}
        title={t("remove.question", { name: channel.name })}
        action={t("remove.action")}
        onConfirm={confirm}
      >
        {t("remove.what")}
      </Confirm>
    </Card>
  );
}
