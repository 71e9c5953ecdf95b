"use client";

import { Sparkles } from "lucide-react";
import dynamic from "next/dynamic";
import { useFormatter, useTranslations } from "use-intl";
import { Things } from "@/components/connect/things";
import { Card } from "@/components/ui/card";
import { CreateButton, ListScreen } from "@/components/ui/list-screen";
import { Progress } from "@/components/ui/progress";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { ProviderList } from "./provider-list";

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
        </div>
      )}
    </ListScreen>
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
