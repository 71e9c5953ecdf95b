"use client";

import { Plus, Sparkles } from "lucide-react";
import dynamic from "next/dynamic";
import { useFormatter, useTranslations } from "use-intl";
import { BackLink } from "@/components/connect/back-link";
import { Load } from "@/components/connect/load";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { EmptyState } from "@/components/ui/empty-state";
import { Link } from "@/components/ui/link";
import { Page } from "@/components/ui/page";
import { Progress } from "@/components/ui/progress";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { useUrlState } from "@/lib/use-url-state";
import { ProviderList } from "./provider-list";

// Fetched when needed: lists are looked at more often than they are changed.
const ProviderDetails = dynamic(() => import("./provider-details").then((module) => module.ProviderDetails), {
  ssr: false,
  loading: () => <SkeletonRows />,
});
const ProviderForm = dynamic(() => import("./provider-form").then((module) => module.ProviderForm), {
  ssr: false,
  loading: () => <SkeletonRows />,
});

/** The models in the order in which they are asked; with `?id=` one of them, with `?new=` the form for another. */
export function AiScreen() {
  const t = useTranslations("ai");
  const [params] = useUrlState();
  const id = Number(params.get("id"));
  if (id > 0) return <ProviderDetails key={id} id={id} />;
  if (params.has("new")) {
    return (
      <>
        <BackLink href="/ai/">{t("title")}</BackLink>
        <Page title={t("create.title")} description={t("create.text")}>
          <ProviderForm />
        </Page>
      </>
    );
  }
  return <AllProviders />;
}

function AllProviders() {
  const t = useTranslations("ai");
  const { mayEdit } = useSession();
  const providers = api.useQuery("get", "/api/v1/ai-providers");
  const isEmpty = providers.data?.items.length === 0;
  const create = mayEdit && (
    <Button asChild variant="primary">
      <Link href="/ai/?new=1">
        <Plus aria-hidden />
        {t("create.action")}
      </Link>
    </Button>
  );
  return (
    <Page title={t("title")} description={t("description")} actions={!isEmpty && create}>
      <Load query={providers} rows={3}>
        {({ items }) =>
          isEmpty ? (
            <EmptyState icon={Sparkles} title={t("empty.title")} action={create}>
              {t("empty.text")}
            </EmptyState>
          ) : (
            <div className="grid gap-5">
              <Usage />
              <ProviderList providers={items} />
            </div>
          )
        }
      </Load>
    </Page>
  );
}

/** What was spent of the day's limit, where there is one. */
function Usage() {
  const t = useTranslations("ai.usage");
  const format = useFormatter();
  const overview = api.useQuery("get", "/api/v1/overview");
  const model = overview.data?.model;
  if (!model) return null;
  return (
    <Card title={t("title")}>
      {model.daily_tokens ? (
        <>
          <Progress label={t("tokens")} done={model.spent_tokens ?? 0} total={model.daily_tokens} />
          <p className="mt-2 text-muted text-sm">{t("text", { limit: format.number(model.daily_tokens) })}</p>
        </>
      ) : (
        <p className="text-muted">{t("unlimited")}</p>
      )}
    </Card>
  );
}
