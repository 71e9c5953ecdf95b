"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "use-intl";
import { Dialog } from "@/components/ui/dialog";
import { LoginForm } from "./login-form";

/** Asks to sign in again in front of the page, so that nothing that was typed is lost. */
export function SessionEnded({ onClose }: { onClose: () => void }) {
  const t = useTranslations("session.ended");
  const cache = useQueryClient();
  const goOn = () => {
    onClose();
    void cache.invalidateQueries();
  };
  return (
    <Dialog open onOpenChange={onClose} title={t("title")} description={t("text")}>
      <LoginForm onDone={goOn} />
    </Dialog>
  );
}
