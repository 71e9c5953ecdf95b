"use client";

import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { ChatFinder } from "@/components/connect/chat-finder";
import { FormActions } from "@/components/connect/form-actions";
import { PlatformFields } from "@/components/connect/platform-fields";
import { usePlatforms } from "@/components/connect/use-platforms";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Link } from "@/components/ui/link";
import { Load } from "@/components/ui/load";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";
import type { Platform } from "@/lib/platform-fields";
import { useGo } from "@/lib/use-go";
import { bodyOf, type Channel, type Draft, draftOf, isCount } from "./channel";
import { TemplateUses } from "./template-uses";

const FIRST_PLATFORM = "telegram";

/** Makes a channel, or changes the one that is given. */
export function ChannelForm({ channel }: { channel?: Channel }) {
  const platforms = usePlatforms();
  return (
    <Load query={platforms} rows={5}>
      {({ items }) => <Form channel={channel} platforms={items} />}
    </Load>
  );
}

function Form({ channel, platforms }: { channel?: Channel; platforms: Platform[] }) {
  const t = useTranslations("channels");
  const go = useGo();
  const cache = useQueryClient();
  const first = platforms.find(({ id }) => id === (channel?.platform ?? FIRST_PLATFORM)) ?? platforms[0];
  const [draft, setDraft] = useState(() => first && draftOf(channel, first));
  const [isChecked, setChecked] = useState(false);
  const set = (changes: Partial<Draft>) => setDraft((before) => before && { ...before, ...changes });

  const refresh = () => cache.invalidateQueries({ queryKey: ["get", "/api/v1/channels"] });
  const create = api.useMutation("post", "/api/v1/channels", {
    onSuccess: async (made) => {
      await refresh();
      toast(t("created", { name: made.name }));
      go(`/channels/?id=${made.id}`);
    },
  });
  const update = api.useMutation("put", "/api/v1/channels/{id}", {
    onSuccess: async (saved) => {
      await refresh();
      cache.setQueryData(["get", "/api/v1/channels/{id}", { params: { path: { id: saved.id } } }], saved);
      if (first) setDraft(draftOf(saved, first));
      toast(t("saved", { name: saved.name }));
    },
  });

  const platform = platforms.find(({ id }) => id === draft?.platform) ?? first;
  if (!platform || !draft) return null;

  const isReady = draft.name.trim() !== "" && isCount(draft.rate) && isCount(draft.dedup);
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (!isReady) return;
    const body = bodyOf(draft, platform);
    if (channel) update.mutate({ params: { path: { id: channel.id } }, body });
    else create.mutate({ body });
  };

  const failure = create.error ?? update.error;
  const own = ["name", "bot_id", ...platform.fields.flatMap(({ name }) => [name, `options.${name}`])];
  const refused = refusedField(failure);
  const isOwn = (field: string) => own.includes(field) || field.startsWith("templates[");
  const said = refused && isOwn(refused.field) ? refused : undefined;
  const saidOf = (field: string) => (said?.field === field ? <bdi>{said.why}</bdi> : undefined);
  const counts = (field: string) => isChecked && !isCount(field) && t("notCount");

  return (
    <form onSubmit={submit} noValidate className="grid max-w-2xl gap-5">
      <Card title={t("form.what")} className="grid gap-4">
        <Field
          label={t("name")}
          hint={t("form.nameHint")}
          error={(isChecked && !draft.name.trim() && t("form.nameMissing")) || saidOf("name")}
        >
          {(wiring) => (
            <Input
              {...wiring}
              dir="auto"
              value={draft.name}
              maxLength={64}
              onChange={(event) => set({ name: event.target.value })}
            />
          )}
        </Field>
        {!channel && (
          <Field label={t("platform")}>
            {(wiring) => (
              <Select
                {...wiring}
                options={platforms.map(({ id, title }) => ({ value: id, label: title }))}
                value={draft.platform}
                onValueChange={(chosen) => set({ platform: chosen, bot: "" })}
              />
            )}
          </Field>
        )}
        {platform.bot.length > 0 && (
          <BotChoice platform={platform} value={draft.bot} onChange={(bot) => set({ bot })} error={saidOf("bot_id")} />
        )}
        <PlatformFields
          platform={platform.id}
          fields={platform.fields}
          values={draft.fields}
          onChange={(name, value) => set({ fields: { ...draft.fields, [name]: value } })}
          stored={(name) => (channel?.options[`${name}_set`] === true ? "" : undefined)}
          prefix="options."
          error={said}
        />
        {platform.id === "telegram" && draft.bot && (
          <ChatFinder
            bot={Number(draft.bot)}
            onChoose={({ id, topic }) =>
              set({ fields: { ...draft.fields, target: id, message_thread_id: topic ? String(topic) : "" } })
            }
          />
        )}
      </Card>
      <Card title={t("form.limits")}>
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t("rate")} hint={t("rateHint")} error={counts(draft.rate)}>
            {(wiring) => (
              <Input
                {...wiring}
                dir="ltr"
                inputMode="numeric"
                value={draft.rate}
                onChange={(event) => set({ rate: event.target.value })}
              />
            )}
          </Field>
          <Field label={t("dedup")} hint={t("dedupHint")} error={counts(draft.dedup)}>
            {(wiring) => (
              <Input
                {...wiring}
                dir="ltr"
                inputMode="numeric"
                value={draft.dedup}
                onChange={(event) => set({ dedup: event.target.value })}
              />
            )}
          </Field>
        </div>
      </Card>
      <Card title={t("uses.title")}>
        <TemplateUses
          uses={draft.uses}
          onChange={(uses) => set({ uses })}
          error={said?.field.startsWith("templates[") ? said : undefined}
        />
      </Card>
      {failure !== null && !said && <ErrorState error={failure} isInline />}
      <FormActions
        submit={channel ? t("form.save") : t("create.submit")}
        isBusy={create.isPending || update.isPending}
        cancel={!channel ? { href: "/channels/", label: t("form.cancel") } : undefined}
      />
    </form>
  );
}

/** The account to send with. A platform that needs one teaches how to make it. */
function BotChoice({
  platform,
  value,
  onChange,
  error,
}: {
  platform: Platform;
  value: string;
  onChange: (bot: string) => void;
  error: React.ReactNode;
}) {
  const t = useTranslations("channels");
  const bots = api.useQuery("get", "/api/v1/bots");
  const fitting = (bots.data?.items ?? []).filter((bot) => bot.platform === platform.id);
  if (bots.data && fitting.length === 0) {
    return (
      <div className="grid justify-items-start gap-2 rounded-md bg-warning-soft p-3 text-warning">
        <p>{t("bot.none", { platform: platform.title })}</p>
        <Button asChild size="sm">
          <Link href={`/bots/?new=${platform.id}`}>{t("bot.create")}</Link>
        </Button>
      </div>
    );
  }
  if (bots.error && !bots.data) {
    return <ErrorState error={bots.error} isInline onRetry={() => void bots.refetch()} />;
  }
  return (
    <Field label={t("bot.label")} hint={t("bot.hint")} error={error}>
      {(wiring) => (
        <Select
          {...wiring}
          placeholder={t("bot.choose")}
          options={fitting.map((bot) => ({ value: String(bot.id), label: <bdi>{bot.name}</bdi> }))}
          value={value}
          onValueChange={onChange}
        />
      )}
    </Field>
  );
}
