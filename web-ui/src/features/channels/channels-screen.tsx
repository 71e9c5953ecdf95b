"use client";

import { Megaphone, Plus } from "lucide-react";
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
import { ChannelTable } from "./channel-table";

// Fetched when needed: lists are looked at more often than they are changed.
const ChannelDetails = dynamic(() => import("./channel-details").then((module) => module.ChannelDetails), {
  ssr: false,
  loading: () => <SkeletonRows />,
});
const ChannelForm = dynamic(() => import("./channel-form").then((module) => module.ChannelForm), {
  ssr: false,
  loading: () => <SkeletonRows />,
});

/** All channels; with `?id=` one of them, with `?new=` the form for another. */
export function ChannelsScreen() {
  const t = useTranslations("channels");
  const [params] = useUrlState();
  const id = Number(params.get("id"));
  if (id > 0) return <ChannelDetails key={id} id={id} />;
  if (params.has("new")) {
    return (
      <>
        <BackLink href="/channels/">{t("title")}</BackLink>
        <Page title={t("create.title")} description={t("create.text")}>
          <ChannelForm />
        </Page>
      </>
    );
  }
  return <ChannelList />;
}

function ChannelList() {
  const t = useTranslations("channels");
  const { mayEdit } = useSession();
  const channels = api.useQuery("get", "/api/v1/channels");
  const create = mayEdit && (
    <Button asChild variant="primary">
      <Link href="/channels/?new=1">
        <Plus aria-hidden />
        {t("create.action")}
      </Link>
    </Button>
  );
  const guide = mayEdit && (
    <Button asChild>
      <Link href="/welcome/">{t("empty.action")}</Link>
    </Button>
  );
  const isEmpty = channels.data?.items.length === 0;
  return (
    <Page title={t("title")} description={t("description")} actions={!isEmpty && create}>
      <Load query={channels}>
        {({ items }) =>
          isEmpty ? (
            <EmptyState
              icon={Megaphone}
              title={t("empty.title")}
              action={
                <>
                  {create}
                  {guide}
                </>
              }
            >
              {t("empty.text")}
            </EmptyState>
          ) : (
            <ChannelTable channels={items} />
          )
        }
      </Load>
    </Page>
  );
}
