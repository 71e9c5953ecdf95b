"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useFormatter, useTranslations } from "use-intl";
import { BackLink } from "@/components/connect/back-link";
import { Fact, Facts } from "@/components/connect/facts";
import { Load } from "@/components/connect/load";
import { ProvisionedBadge, ProvisionedNote } from "@/components/connect/provisioned";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Confirm } from "@/components/ui/confirm";
import { Page } from "@/components/ui/page";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { useGo } from "@/lib/use-go";
import type { Provider } from "./provider";
import { ProviderForm } from "./provider-form";

export function ProviderDetails({ id }: { id: number }) {
  const t = useTranslations("ai");
  const { mayEdit } = useSession();
  const query = api.useQuery("get", "/api/v1/ai-providers/{id}", { params: { path: { id } } });
  const provider = query.data;
  const mayChange = mayEdit && provider?.provisioned === false;
  return (
    <>
      <BackLink href="/ai/">{t("title")}</BackLink>
      <Page
        title={<bdi>{provider?.model ?? t("title")}</bdi>}
        description={t("one")}
        actions={
          <>
            {provider?.provisioned && <ProvisionedBadge />}
            {provider && mayChange && <Delete provider={provider} />}
          </>
        }
      >
        <Load query={query} rows={5}>
          {(loaded) => (mayChange ? <ProviderForm provider={loaded} /> : <ReadOnly provider={loaded} />)}
        </Load>
      </Page>
    </>
  );
}

function ReadOnly({ provider }: { provider: Provider }) {
  const t = useTranslations("ai");
  const format = useFormatter();
  return (
    <Card title={t("form.server")} className="max-w-2xl">
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

function Delete({ provider }: { provider: Provider }) {
  const t = useTranslations("ai");
  const go = useGo();
  const cache = useQueryClient();
  const remove = api.useMutation("delete", "/api/v1/ai-providers/{id}");
  const confirm = async () => {
    await remove.mutateAsync({ params: { path: { id: provider.id } } });
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/ai-providers"] });
    toast(t("remove.done", { model: provider.model }));
    go("/ai/");
  };
  return (
    <Confirm
      trigger={<Button variant="danger">{t("remove.action")}</Button>}
      title={t("remove.question", { model: provider.model })}
      action={t("remove.action")}
      onConfirm={confirm}
    >
      {t("remove.what")}
    </Confirm>
  );
}
