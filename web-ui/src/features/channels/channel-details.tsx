"use client";

import { useTranslations } from "use-intl";
import { DeleteThing } from "@/components/connect/delete-thing";
import { Fact, Facts } from "@/components/connect/facts";
import { useFieldWords } from "@/components/connect/platform-fields";
import { Thing } from "@/components/connect/things";
import { usePlatforms } from "@/components/connect/use-platforms";
import { Card } from "@/components/ui/card";
import { ProvisionedNote } from "@/components/ui/provisioned";
import { api } from "@/lib/api/client";
import { type Field, textOf } from "@/lib/platform-fields";
import { useSession } from "@/lib/session";
import type { Channel } from "./channel";
import { ChannelForm } from "./channel-form";
import { ChannelSwitch } from "./channel-table";
import { DrillCard } from "./drill-card";
import { PushCard } from "./push-card";
import { TestCard } from "./test-card";

/** One channel: its settings, a test, and how programs post to it. */
export function ChannelDetails({ id }: { id: number }) {
  const t = useTranslations("channels");
  const { mayEdit } = useSession();
  const query = api.useQuery("get", "/api/v1/channels/{id}", { params: { path: { id } } });
  return (
    <Thing
      href="/channels/"
      title={t("title")}
      description={t("one")}
      query={query}
      nameOf={({ name }) => name}
      actions={(channel) => <ChannelSwitch channel={channel} hasCaption />}
    >
      {(channel) => (
        <div className="grid items-start gap-5 lg:grid-cols-[minmax(0,1fr)_minmax(0,26rem)]">
          {mayEdit && !channel.provisioned ? <ChannelForm channel={channel} /> : <ReadOnly channel={channel} />}
          <div className="grid gap-5 max-lg:order-first">
            {mayEdit && <TestCard id={id} />}
            {mayEdit && <DrillCard channel={channel} />}
            {channel.push_token && <PushCard channel={channel} />}
            {mayEdit && !channel.provisioned && <DeleteCard channel={channel} />}
          </div>
        </div>
      )}
    </Thing>
  );
}

function ReadOnly({ channel }: { channel: Channel }) {
  const t = useTranslations("channels");
  const wordsOf = useFieldWords();
  const platforms = usePlatforms();
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
    <Card title={t("form.what")} className="grid gap-4">
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
            {use.condition && (
              <>
                {" "}
                · <bdi className="font-mono text-muted text-sm">{use.condition}</bdi>
              </>
            )}
          </Fact>
        ))}
      </Facts>
    </Card>
  );
}

function DeleteCard({ channel: { id, name } }: { channel: Channel }) {
  const t = useTranslations("channels.remove");
  const remove = api.useMutation("delete", "/api/v1/channels/{id}");
  return (
    <Card title={t("title")}>
      <p className="mb-4 text-muted">{t("text")}</p>
      <DeleteThing
        action={t("action")}
        question={t("question", { name })}
        done={t("done", { name })}
        path="/api/v1/channels"
        back="/channels/"
        onDelete={() => remove.mutateAsync({ params: { path: { id } } })}
      >
        {t("what")}
      </DeleteThing>
    </Card>
  );
}
