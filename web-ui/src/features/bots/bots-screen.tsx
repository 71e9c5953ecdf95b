"use client";

import { Bot, Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { useTranslations } from "use-intl";
import { BackLink } from "@/components/connect/back-link";
import { Load } from "@/components/connect/load";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { Link } from "@/components/ui/link";
import { Page } from "@/components/ui/page";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { useUrlState } from "@/lib/use-url-state";
import { BotTable } from "./bot-table";

// Fetched when needed: lists are looked at more often than they are changed.
const BotDetails = dynamic(() => import("./bot-details").then((module) => module.BotDetails), {
  ssr: false,
  loading: () => <SkeletonRows />,
});
const BotForm = dynamic(() => import("./bot-form").then((module) => module.BotForm), {
  ssr: false,
  loading: () => <SkeletonRows />,
});

/** All bots; with `?id=` one of them, with `?new=` the form for another. */
export function BotsScreen() {
  const t = useTranslations("bots");
  const [params] = useUrlState();
  const id = Number(params.get("id"));
  if (id > 0) return <BotDetails key={id} id={id} />;
  if (params.has("new")) {
    return (
      <>
        <BackLink href="/bots/">{t("title")}</BackLink>
        <Page title={t("create.title")} description={t("create.text")}>
          <BotForm platform={params.get("new") ?? undefined} />
        </Page>
      </>
    );
  }
  return <BotList />;
}

function BotList() {
  const t = useTranslations("bots");
  const { mayEdit } = useSession();
  const bots = api.useQuery("get", "/api/v1/bots");
  const isEmpty = bots.data?.items.length === 0;
  const create = mayEdit && (
    <Button asChild variant="primary">
      <Link href="/bots/?new=telegram">
        <Plus aria-hidden />
        {t("create.action")}
      </Link>
    </Button>
  );
  return (
    <Page title={t("title")} description={t("description")} actions={!isEmpty && create}>
      <Load query={bots}>
        {({ items }) =>
          isEmpty ? (
            <EmptyState icon={Bot} title={t("empty.title")} action={create}>
              {t("empty.text")}
            </EmptyState>
          ) : (
            <BotTable bots={items} />
          )
        }
      </Load>
    </Page>
  );
}
