"use client";

import { Bot } from "lucide-react";
import dynamic from "next/dynamic";
import { useTranslations } from "use-intl";
import { Things } from "@/components/connect/things";
import { CreateButton, ListScreen } from "@/components/ui/list-screen";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { BotTable } from "./bot-table";

// Fetched when needed: lists are looked at more often than they are changed.
const loading = () => <SkeletonRows />;
const BotDetails = dynamic(() => import("./bot-details").then((module) => module.BotDetails), { ssr: false, loading });
const BotForm = dynamic(() => import("./bot-form").then((module) => module.BotForm), { ssr: false, loading });

/** All bots; with `?id=` one of them, with `?new=telegram` the form for another. */
export function BotsScreen() {
  const t = useTranslations("bots");
  return (
    <Things
      href="/bots/"
      title={t("title")}
      create={{ title: t("create.title"), text: t("create.text") }}
      list={() => <BotList />}
      one={(id) => <BotDetails id={id} />}
      form={(platform) => <BotForm platform={platform} />}
    />
  );
}

function BotList() {
  const t = useTranslations("bots");
  const { mayEdit } = useSession();
  const bots = api.useQuery("get", "/api/v1/bots");
  return (
    <ListScreen
      title={t("title")}
      description={t("description")}
      create={mayEdit && <CreateButton href="/bots/?new=telegram">{t("create.action")}</CreateButton>}
      query={bots}
      icon={Bot}
      empty={{ title: t("empty.title"), text: t("empty.text") }}
    >
      {(items) => <BotTable bots={items} />}
    </ListScreen>
  );
}
