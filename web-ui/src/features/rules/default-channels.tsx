"use client";

import { useQueryClient } from "@tanstack/react-query";
import { CornerDownRight, Pencil, TriangleAlert } from "lucide-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { Dialog } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { ProvisionedMark } from "@/components/ui/provisioned";
import { Skeleton } from "@/components/ui/skeleton";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { ChannelNames, ChannelPicker } from "./channel-picker";

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
      {isOpen && data && <Editor chosen={data.channels} onClose={() => setOpen(false)} />}
    </Card>
  );
}

function Editor({ chosen: before, onClose }: { chosen: number[]; onClose: () => void }) {
  const t = useTranslations("rules.defaults");
  const cache = useQueryClient();
  const [chosen, setChosen] = useState(before);
  const replace = api.useMutation("put", "/api/v1/default-channels", {
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ["get", "/api/v1/default-channels"] });
      toast(t("saved"));
      onClose();
    },
  });
  const footer = (
    <>
      <Button onClick={onClose}>{t("cancel")}</Button>
      <Button
        variant="primary"
        isBusy={replace.isPending}
        onClick={() => replace.mutate({ body: { channels: chosen } })}
      >
        {t("save")}
      </Button>
    </>
  );
  return (
    <Dialog open onOpenChange={(open) => !open && onClose()} title={t("title")} description={t("hint")} footer={footer}>
      <div className="grid gap-4">
        <ChannelPicker label={t("channels")} chosen={chosen} onChange={setChosen} />
        {chosen.length === 0 && <p className="text-warning">{t("none")}</p>}
        {replace.error && <ErrorState error={replace.error} isInline />}
      </div>
    </Dialog>
  );
}
