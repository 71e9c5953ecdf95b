"use client";

import { useQueryClient } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { FormActions } from "@/components/connect/form-actions";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";
import { useGo } from "@/lib/use-go";
import { bodyOf, draftOf, FIELDS, type FieldName, KINDS, notNumber, type Provider } from "./provider";

const PLACEHOLDERS: Partial<Record<FieldName, string>> = { base_url: "http://127.0.0.1:11434/v1", model: "llama3" };

/** Adds a model, or changes the one that is given. */
export function ProviderForm({ provider }: { provider?: Provider }) {
  const t = useTranslations("ai");
  const go = useGo();
  const cache = useQueryClient();
  const [draft, setDraft] = useState(() => draftOf(provider));
  const [isChecked, setChecked] = useState(false);

  const done = async (saved: Provider) => {
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/ai-providers"] });
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/ai-providers/{id}"] });
    toast(t("saved", { model: saved.model }));
    go("/ai/");
  };
  const create = api.useMutation("post", "/api/v1/ai-providers", { onSuccess: done });
  const update = api.useMutation("put", "/api/v1/ai-providers/{id}", { onSuccess: done });

  const wrong = notNumber(draft);
  const missing = (["base_url", "model"] as const).filter((name) => !draft[name].trim());
  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (wrong || missing.length > 0) return;
    const body = bodyOf(draft);
    if (provider) update.mutate({ params: { path: { id: provider.id } }, body });
    else create.mutate({ body });
  };

  const failure = create.error ?? update.error;
  const refused = refusedField(failure);
  const isOwn = (field: string) => FIELDS.some((name) => name === field);
  const said = refused && isOwn(refused.field) ? refused : undefined;
  const errorOf = (name: FieldName) => {
    if (isChecked && missing.some((each) => each === name)) return t("form.missing");
    if (isChecked && wrong === name) return t("form.notNumber");
    return said?.field === name ? <bdi>{said.why}</bdi> : undefined;
  };
  const hintOf = (name: FieldName) => {
    if (name !== "api_key") return t(`hints.${name}`);
    return provider?.api_key_set ? t("form.keyKept") : t("hints.api_key");
  };
  const text = (name: FieldName) => (
    <Field key={name} label={t(`fields.${name}`)} hint={hintOf(name)} error={errorOf(name)}>
      {(wiring) => (
        <Input
          {...wiring}
          dir="ltr"
          spellCheck={false}
          autoComplete={name === "api_key" ? "new-password" : "off"}
          type={name === "api_key" ? "password" : "text"}
          placeholder={name === "api_key" && provider?.api_key_set ? "••••••••" : PLACEHOLDERS[name]}
          value={draft[name]}
          onChange={(event) => setDraft({ ...draft, [name]: event.target.value })}
        />
      )}
    </Field>
  );

  return (
    <form onSubmit={submit} noValidate className="grid max-w-2xl gap-5">
      <Card title={t("form.server")} className="grid gap-4">
        <Field label={t("kind")} hint={t("kindHint")}>
          {(wiring) => (
            <Select
              {...wiring}
              options={KINDS.map((kind) => ({ value: kind, label: t(`kinds.${kind}`) }))}
              value={draft.kind}
              onValueChange={(chosen) =>
                setDraft({ ...draft, kind: KINDS.find((kind) => kind === chosen) ?? "openai" })
              }
            />
          )}
        </Field>
        {(["base_url", "model", "api_key"] as const).map(text)}
      </Card>
      <Card title={t("form.limits")}>
        <div className="grid gap-4 sm:grid-cols-3">
          {(["timeout", "concurrency", "context_tokens"] as const).map(text)}
        </div>
      </Card>
      <Card title={t("form.prices")}>
        <div className="grid gap-4 sm:grid-cols-2">{(["prompt_price", "completion_price"] as const).map(text)}</div>
      </Card>
      {failure !== null && !said && <ErrorState error={failure} isInline />}
      <FormActions
        submit={provider ? t("form.save") : t("create.submit")}
        isBusy={create.isPending || update.isPending}
        cancel={{ href: "/ai/", label: t("form.cancel") }}
      />
    </form>
  );
}
