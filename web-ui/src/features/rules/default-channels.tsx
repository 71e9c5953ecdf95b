"use client";

import { CornerDownRight, Pencil, TriangleAlert } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { ProvisionedMark } from "@/components/ui/provisioned";
import { Skeleton } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { ChannelNames } from "./channel-names";

// Fetched when it is first opened.
const DefaultChannelsEditor = dynamic(
  () => import("./default-channels-editor").then((module) => module.DefaultChannelsEditor),
  // Without this, the whole screen would go until it is there.
  { loading: () => null },
);

/** Where alerts go that no rule takes. */
export function DefaultChannels({ mayEdit }: { mayEdit: boolean }) {
  const t = useTranslations("rules.defaults");
  const { data, error, refetch } = api.useQuery("get", "/api/v1/default-channels");
  const [isOpen, setOpen] = useState(false);
  const aside = data?.provisioned ? (
    <ProvisionedMark />
  ) : (
    mayEdit && (
      <Button size="sm" onClick={() => setOpen(true)}>
        <Pencil aria-hidden />
        {t("edit")}
      </Button>
    )
  );
  const title = (
    <span className="flex items-center gap-2">
      <CornerDownRight className="size-4 text-muted rtl:-scale-x-100" aria-hidden />
      {t("title")}
    </span>
  );
  return (
    <Card title={title} aside={data && aside} className="mt-4">
      {error && !data ? (
        <ErrorState error={error} isInline onRetry={() => void refetch()} />
      ) : !data ? (
        <Skeleton className="h-6 w-40" />
      ) : data.channels.length === 0 ? (
        <p className="flex items-start gap-2 text-warning">
          <TriangleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
          {t("none")}
        </p>
      ) : (
        <ChannelNames ids={data.channels} none="" />
      )}
      {isOpen && data && <DefaultChannelsEditor chosen={data.channels} onClose={() => setOpen(false)} />}
    </Card>
  );
}
