"use client";

import { CircleCheck } from "lucide-react";
import { useId } from "react";
import { useForm } from "react-hook-form";
import { useTranslations } from "use-intl";
import { ChatFinder } from "@/components/connect/chat-finder";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { refusedField } from "@/lib/api/field-errors";
import { type ChannelDraft, FIELDS, type Platform, useMakeChannel } from "./make-channel";

export type { Platform } from "./make-channel";

const EXAMPLES: Partial<Record<string, string>> = {
  "webhook.target": "https://example.org/alerts",
  "email.target": "oncall@example.org",
  "email.host": "smtp.example.org",
  "email.port": "587",
  "email.from": "Watchbell <watchbell@example.org>",
  "telegram.bot_token": "123456:ABC-…",
  "telegram.target": "-1001234567890",
};

/** A name that no channel has yet. */
function freeName(platform: Platform, names: string[]): string {
  let name: string = platform;
  for (let number = 2; names.includes(name); number += 1) name = `${platform}-${number}`;
  return name;
}

function emptyDraft(platform: Platform, names: string[]): ChannelDraft {
  const values = Object.fromEntries(FIELDS[platform].map(({ name }) => [name, ""]));
  return { name: freeName(platform, names), values, everything: true };
}

/** The few fields that a channel of this kind needs, and nothing else. */
export function ChannelForm({ platform, names }: { platform: Platform; names: string[] }) {
  const t = useTranslations("welcome.channel");
  const { make, prepare, bot, isBusy, error, made } = useMakeChannel(platform);
  const everythingId = useId();
  const { register, handleSubmit, formState, reset, getValues, setValue } = useForm<ChannelDraft>({
    defaultValues: emptyDraft(platform, names),
  });
  const refused = refusedField(error);
  const field = refused?.field.replace(/^options\./, "");
  const fields = FIELDS[platform];
  const isAtField = field === "name" || fields.some(({ name }) => name === field);
  const said = (name: string) => (field === name ? <bdi>{refused?.why}</bdi> : undefined);
  const submit = handleSubmit(async (draft) => {
    const name = await make(draft);
    if (name) reset(emptyDraft(platform, [...names, name]));
  });

  return (
    <form onSubmit={submit} noValidate className="grid gap-4">
      <p className="text-muted">{t(`how.${platform}`)}</p>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("fields.name")} error={said("name")}>
          {(wiring) => (
            <Input maxLength={64} autoComplete="off" {...wiring} {...register("name", { required: true })} />
          )}
        </Field>
        {fields.map(({ name, isRequired, isSecret }) => (
          <Field
            key={name}
            label={
              isRequired
                ? t(`fields.${platform}.${name}` as "fields.name")
                : t("optional", { label: t(`fields.${platform}.${name}` as "fields.name") })
            }
            error={(formState.errors.values?.[name] && t("missing")) || said(name)}
          >
            {(wiring) => (
              <Input
                dir="ltr"
                type={isSecret ? "password" : "text"}
                autoComplete={isSecret ? "new-password" : "off"}
                placeholder={EXAMPLES[`${platform}.${name}`]}
                {...wiring}
                {...register(`values.${name}`, { required: isRequired })}
              />
            )}
          </Field>
        ))}
      </div>
      {platform === "telegram" && (
        <ChatFinder
          bot={bot}
          isBusy={isBusy}
          onStart={() => void prepare(getValues())}
          onChoose={({ id }) => setValue("values.target", id)}
        />
      )}
      <div className="flex items-start gap-2.5">
        <input id={everythingId} type="checkbox" className="mt-1 size-4 accent-accent" {...register("everything")} />
        <label htmlFor={everythingId}>
          {t("everything")}
          <span className="block text-muted text-sm">{t("everythingText")}</span>
        </label>
      </div>
      {Boolean(error) && !isAtField && <ErrorState error={error} isInline />}
      <div className="flex flex-wrap items-center gap-3">
        <Button type="submit" variant="primary" isBusy={isBusy}>
          {t("make")}
        </Button>
        {made && (
          <p role="status" className="flex items-center gap-1.5 text-sm text-success">
            <CircleCheck className="size-4" aria-hidden />
            {t("made", { name: made })}
          </p>
        )}
      </div>
    </form>
  );
}
