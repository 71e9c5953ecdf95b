"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { ChannelPicker } from "./channel-picker";

/** Chooses other default channels. */
export function DefaultChannelsEditor({ chosen: before, onClose }: { chosen: number[]; onClose: () => void }) {
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
