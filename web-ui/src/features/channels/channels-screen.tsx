"use client";

import { Megaphone } from "lucide-react";
import dynamic from "next/dynamic";
import { useTranslations } from "use-intl";
import { Things } from "@/components/connect/things";
import { Button } from "@/components/ui/button";
import { Link } from "@/components/ui/link";
import { CreateButton, ListScreen } from "@/components/ui/list-screen";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { ChannelTable } from "./channel-table";

// Fetched when needed: lists are looked at more often than they are changed.
const loading = () => <SkeletonRows />;
const ChannelDetails = dynamic(() => import("./channel-details").then((module) => module.ChannelDetails), {
  ssr: false,
  loading,
});
const ChannelForm = dynamic(() => import("./channel-form").then((module) => module.ChannelForm), {
  ssr: false,
  loading,
});

/** All channels; with `?id=` one of them, with `?new=` the form for another. */
export function ChannelsScreen() {
  const t = useTranslations("channels");
  return (
    <Things
      href="/channels/"
      title={t("title")}
      create={{ title: t("create.title"), text: t("create.text") }}
      list={() => <ChannelList />}
      one={(id) => <ChannelDetails id={id} />}
      form={() => <ChannelForm />}
    />
  );
}

function ChannelList() {
  const t = useTranslations("channels");
  const { mayEdit } = useSession();
  const channels = api.useQuery("get", "/api/v1/channels");
  const guide = mayEdit && (
    <Button asChild>
      <Link href="/welcome/">{t("empty.action")}</Link>
    </Button>
  );
  return (
    <ListScreen
      title={t("title")}
      description={t("description")}
      create={mayEdit && <CreateButton href="/channels/?new=1">{t("create.action")}</CreateButton>}
      query={channels}
      icon={Megaphone}
      empty={{ title: t("empty.title"), text: t("empty.text"), action: guide }}
    >
      {(items) => <ChannelTable channels={items} />}
    </ListScreen>
  );
}
