"use client";

import { useQueryClient } from "@tanstack/react-query";
import { CircleCheck } from "lucide-react";
import { useState } from "react";
import { useForm } from "react-hook-form";
import { useTranslations } from "use-intl";
import { ModelTest } from "@/components/connect/model-test";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Link } from "@/components/ui/link";
import { PasswordInput } from "@/components/ui/password-input";
import { Select } from "@/components/ui/select";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";
import { useSession } from "@/lib/session";

const PROVIDERS = "/api/v1/ai-providers";
const KINDS = ["openai", "ollama"] as const;
const EXAMPLES = { openai: "https://api.example.com/v1", ollama: "http://127.0.0.1:11434" };

/** A model, for those who want one. */
export function ModelStep() {
  const t = useTranslations("welcome.model");
  const { mayEdit } = useSession();
  const { data } = api.useQuery("get", PROVIDERS);
  const newest = data?.items.at(-1);
  return (
    <div className="grid gap-5">
      {data && data.items.length > 0 && (
        <ul aria-label={t("present")} className="divide-y divide-line rounded-lg border bg-surface">
          {data.items.map((provider) => (
            <li key={provider.id} className="flex flex-wrap items-center gap-x-3 gap-y-1 px-4 py-3">
              <CircleCheck className="size-4 text-success" aria-hidden />
              <bdi className="font-medium">{provider.model}</bdi>
              <bdi className="font-mono text-muted text-sm">{provider.base_url}</bdi>
              <Link href="/ai/" className="ms-auto text-accent text-sm underline underline-offset-4">
                {t("more")}
              </Link>
            </li>
          ))}
        </ul>
      )}
      {newest && mayEdit && <ModelTest key={newest.id} id={newest.id} />}
      {mayEdit ? <ModelForm /> : <p className="text-muted">{t("notYours")}</p>}
    </div>
  );
}

function ModelForm() {
  const t = useTranslations("welcome.model");
  const cache = useQueryClient();
  const [kind, setKind] = useState<(typeof KINDS)[number]>("openai");
  const { register, handleSubmit, formState, reset } = useForm({
    defaultValues: { base_url: "", model: "", api_key: "" },
  });
  const add = api.useMutation("post", PROVIDERS, {
    onSuccess: () => {
      reset();
      return cache.invalidateQueries({ queryKey: ["get", PROVIDERS] });
    },
  });
  const refused = refusedField(add.error);
  const isAtField = refused && ["base_url", "model", "api_key"].includes(refused.field);
  const { errors } = formState;
  const said = (field: "base_url" | "model" | "api_key") =>
    (errors[field] && t("missing")) || (refused?.field === field ? <bdi>{refused.why}</bdi> : undefined);
  return (
    <Card title={t("add")}>
      <form
        noValidate
        className="grid gap-4"
        onSubmit={handleSubmit((typed) => add.mutate({ body: { ...typed, kind, api_key: typed.api_key || null } }))}
      >
        <div className="grid gap-4 sm:grid-cols-2">
          <Field label={t("kind")}>
            {(wiring) => (
              <Select
                {...wiring}
                value={kind}
                onValueChange={(next) => setKind(KINDS.find((each) => each === next) ?? kind)}
                options={KINDS.map((each) => ({ value: each, label: t(`kinds.${each}`) }))}
              />
            )}
          </Field>
          <Field label={t("baseUrl")} error={said("base_url")}>
            {(wiring) => (
              <Input dir="ltr" placeholder={EXAMPLES[kind]} {...wiring} {...register("base_url", { required: true })} />
            )}
          </Field>
          <Field label={t("name")} error={said("model")}>
            {(wiring) => <Input dir="ltr" {...wiring} {...register("model", { required: true })} />}
          </Field>
          <Field label={t("key")} error={said("api_key")}>
            {(wiring) => <PasswordInput autoComplete="new-password" {...wiring} {...register("api_key")} />}
          </Field>
        </div>
        {add.error && !isAtField && <ErrorState error={add.error} isInline />}
        <div>
          <Button type="submit" isBusy={add.isPending}>
            {t("add")}
          </Button>
        </div>
        {add.isSuccess && (
          <p role="status" className="text-sm text-success">
            {t("added")}
          </p>
        )}
      </form>
    </Card>
  );
}
