"use client";

import { Sparkles } from "lucide-react";
import dynamic from "next/dynamic";
import { useFormatter, useTranslations } from "use-intl";
import { Things } from "@/components/connect/things";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { CreateButton, ListScreen } from "@/components/ui/list-screen";
import { Progress } from "@/components/ui/progress";
import { Skeleton, SkeletonRows } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { DaysCard } from "./days-card";
import { ProviderList } from "./provider-list";
import { useUsage } from "./use-usage";

// Fetched when needed: lists are looked at more often than they are changed.
const loading = () => <SkeletonRows />;
const ProviderDetails = dynamic(() => import("./provider-details").then((module) => module.ProviderDetails), {
  ssr: false,
  loading,
});
const ProviderForm = dynamic(() => import("./provider-form").then((module) => module.ProviderForm), {
  ssr: false,
  loading,
});

/** The models in the order in which they are asked; with `?id=` one of them, with `?new=` the form for another. */
export function AiScreen() {
  const t = useTranslations("ai");
  return (
    <Things
      href="/ai/"
      title={t("title")}
      create={{ title: t("create.title"), text: t("create.text") }}
      list={() => <AllProviders />}
      one={(id) => <ProviderDetails id={id} />}
      form={() => <ProviderForm />}
    />
  );
}

function AllProviders() {
  const t = useTranslations("ai");
  const { mayEdit } = useSession();
  const providers = api.useQuery("get", "/api/v1/ai-providers");
  return (
    <ListScreen
      title={t("title")}
      description={t("description")}
      create={mayEdit && <CreateButton href="/ai/?new=1">{t("create.action")}</CreateButton>}
      query={providers}
      icon={Sparkles}
      empty={{ title: t("empty.title"), text: t("empty.text") }}
    >
      {(items) => (
        <div className="grid gap-5">
          <Usage />
          <ProviderList providers={items} />
          <DaysCard />
        </div>
      )}
    </ListScreen>
  );
}

/** What was spent today: of the limit, where there is one. */
function Usage() {
  const t = useTranslations("ai.usage");
  const format = useFormatter();
  const { data: usage, error, refetch } = useUsage();
  if (!usage && error) return <ErrorState error={error} isInline onRetry={() => void refetch()} />;
  if (!usage) return <Skeleton className="h-36 rounded-lg" />;
  return (
    <Card title={t("title")} className="grid gap-4">
      {usage.daily_tokens != null && (
        <Progress label={t("tokens")} done={usage.spent_tokens} total={usage.daily_tokens} />
      )}
      <dl className="flex flex-wrap gap-x-10 gap-y-3">
        <Spent label={t("spent")}>{format.number(usage.spent_tokens)}</Spent>
        <Spent label={t("cost")}>{format.number(usage.cost, { maximumFractionDigits: 4 })}</Spent>
        <Spent label={t("saved")}>{format.number(usage.saved_calls)}</Spent>
      </dl>
      <p className="text-muted text-sm">
        {usage.daily_tokens != null ? t("text", { limit: format.number(usage.daily_tokens) }) : t("unlimited")}{" "}
        {t("savedText")}
      </p>
    </Card>
  );
}

function Spent({ label, children }: { label: string; children: string }) {
  return (
    <div>
      <dt className="text-muted text-sm">{label}</dt>
      <dd className="font-semibold text-lg tabular-nums">{children}</dd>
    </div>
  );
}
