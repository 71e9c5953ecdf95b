"use client";

import { useFormatter, useTranslations } from "use-intl";
import { DeleteThing } from "@/components/connect/delete-thing";
import { Fact, Facts } from "@/components/connect/facts";
import { ModelTest } from "@/components/connect/model-test";
import { Thing } from "@/components/connect/things";
import { Card } from "@/components/ui/card";
import { ProvisionedNote } from "@/components/ui/provisioned";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import type { Provider } from "./provider";
import { ProviderForm } from "./provider-form";

export function ProviderDetails({ id }: { id: number }) {
  const t = useTranslations("ai");
  const { mayEdit } = useSession();
  const query = api.useQuery("get", "/api/v1/ai-providers/{id}", { params: { path: { id } } });
  return (
    <Thing
      href="/ai/"
      title={t("title")}
      description={t("one")}
      query={query}
      nameOf={({ model }) => model}
      actions={(provider) => mayEdit && !provider.provisioned && <Delete provider={provider} />}
    >
      {(provider) => (
        <div className="grid gap-5">
          {mayEdit && !provider.provisioned ? <ProviderForm provider={provider} /> : <ReadOnly provider={provider} />}
          {mayEdit && <ModelTest id={provider.id} />}
        </div>
      )}
    </Thing>
  );
}

function ReadOnly({ provider }: { provider: Provider }) {
  const t = useTranslations("ai");
  const format = useFormatter();
  return (
    <Card title={t("form.server")} className="grid max-w-2xl gap-4">
      {provider.provisioned && <ProvisionedNote />}
      <Facts>
        <Fact label={t("kind")}>{t(`kinds.${provider.kind}`)}</Fact>
        <Fact label={t("fields.base_url")}>
          <bdi>{provider.base_url}</bdi>
        </Fact>
        <Fact label={t("fields.api_key")}>{provider.api_key_set ? t("keySet") : t("keyNone")}</Fact>
        <Fact label={t("fields.timeout")}>
          <bdi>{provider.timeout}</bdi>
        </Fact>
        <Fact label={t("fields.concurrency")}>{format.number(provider.concurrency)}</Fact>
        <Fact label={t("fields.context_tokens")}>{format.number(provider.context_tokens)}</Fact>
        <Fact label={t("fields.prompt_price")}>{format.number(provider.prompt_price)}</Fact>
        <Fact label={t("fields.completion_price")}>{format.number(provider.completion_price)}</Fact>
      </Facts>
    </Card>
  );
}

function Delete({ provider: { id, model } }: { provider: Provider }) {
  const t = useTranslations("ai.remove");
  const remove = api.useMutation("delete", "/api/v1/ai-providers/{id}");
  return (
    <DeleteThing
      action={t("action")}
      question={t("question", { model })}
      done={t("done", { model })}
      path="/api/v1/ai-providers"
      back="/ai/"
      onDelete={() => remove.mutateAsync({ params: { path: { id } } })}
    >
      {t("what")}
    </DeleteThing>
  );
}
