"use client";

import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { FormActions } from "@/components/connect/form-actions";
import { PlatformFields } from "@/components/connect/platform-fields";
import { usePlatforms } from "@/components/connect/use-platforms";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Load } from "@/components/ui/load";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";
import type { Platform } from "@/lib/platform-fields";
import { useGo } from "@/lib/use-go";
import { type Bot, bodyOf, draftOf, lastOf } from "./bot";

/** Makes a bot of a platform, or changes the one that is given. */
export function BotForm({ bot, platform }: { bot?: Bot; platform?: string }) {
  const platforms = usePlatforms();
  return (
    <Load query={platforms} rows={5}>
      {({ items }) => {
        const needing = items.filter((each) => each.bot.length > 0);
        const first = needing.find(({ id }) => id === (bot?.platform ?? platform)) ?? needing[0];
        return first && <Form bot={bot} first={first} platforms={needing} />;
      }}
    </Load>
  );
}

function Form({ bot, first, platforms }: { bot?: Bot; first: Platform; platforms: Platform[] }) {
  const t = useTranslations("bots");
  const go = useGo();
  const cache = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(bot, first));
  const [isChecked, setChecked] = useState(false);
  const platform = platforms.find(({ id }) => id === draft.platform) ?? first;

  const refresh = () => cache.invalidateQueries({ queryKey: ["get", "/api/v1/bots"] });
  const create = api.useMutation("post", "/api/v1/bots", {
    onSuccess: async (made) => {
      await refresh();
      toast(t("created", { name: made.name }));
      go(`/bots/?id=${made.id}`);
    },
  });
  const update = api.useMutation("put", "/api/v1/bots/{id}", {
    onSuccess: async (saved) => {
      await refresh();
      cache.setQueryData(["get", "/api/v1/bots/{id}", { params: { path: { id: saved.id } } }], saved);
      setDraft(draftOf(saved, platform));
      toast(t("saved", { name: saved.name }));
    },
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (!draft.name.trim()) return;
    const body = bodyOf(draft, platform);
    if (bot) update.mutate({ params: { path: { id: bot.id } }, body });
    else create.mutate({ body });
  };

  const failure = create.error ?? update.error;
  const own = ["name", "description", ...platform.bot.map(({ name }) => name)];
  const refused = refusedField(failure);
  const isOwn = (field: string) => own.includes(field);
  const said = refused && isOwn(refused.field) ? refused : undefined;
  const saidOf = (field: string) => (said?.field === field ? <bdi>{said.why}</bdi> : undefined);

  return (
    <form onSubmit={submit} noValidate className="grid max-w-2xl gap-5">
      <Card title={t("form.what")} className="grid gap-4">
        {!bot && (
          <Field label={t("platform")} hint={t("form.platformHint")}>
            {(wiring) => (
              <Select
                {...wiring}
                options={platforms.map(({ id, title }) => ({ value: id, label: title }))}
                value={draft.platform}
                onValueChange={(chosen) => setDraft({ ...draft, platform: chosen })}
              />
            )}
          </Field>
        )}
        <Field label={t("name")} error={(isChecked && !draft.name.trim() && t("form.nameMissing")) || saidOf("name")}>
          {(wiring) => (
            <Input
              {...wiring}
              dir="auto"
              value={draft.name}
              maxLength={64}
              onChange={(event) => setDraft({ ...draft, name: event.target.value })}
            />
          )}
        </Field>
        <Field label={t("form.description")} hint={t("form.descriptionHint")} error={saidOf("description")}>
          {(wiring) => (
            <Input
              {...wiring}
              dir="auto"
              value={draft.description}
              onChange={(event) => setDraft({ ...draft, description: event.target.value })}
            />
          )}
        </Field>
        <PlatformFields
          platform={platform.id}
          fields={platform.bot}
          values={draft.fields}
          onChange={(name, value) => setDraft({ ...draft, fields: { ...draft.fields, [name]: value } })}
          stored={(name) => bot && lastOf(bot, name)}
          error={said}
        />
      </Card>
      {failure !== null && !said && <ErrorState error={failure} isInline />}
      <FormActions
        submit={bot ? t("form.save") : t("create.submit")}
        isBusy={create.isPending || update.isPending}
        cancel={!bot ? { href: "/bots/", label: t("form.cancel") } : undefined}
      />
    </form>
  );
}
