"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { useTranslations } from "use-intl";
import { Dialog } from "@/components/ui/dialog";
import { SESSION_ENDED } from "@/lib/api/provider";
import { LoginForm } from "./login-form";

/** Asks to sign in again in front of the page, so that nothing that was typed is lost. */
export function SessionEnded() {
  const t = useTranslations("session.ended");
  const cache = useQueryClient();
  const [isOpen, setOpen] = useState(false);
  useEffect(() => {
    const open = () => setOpen(true);
    window.addEventListener(SESSION_ENDED, open);
    return () => window.removeEventListener(SESSION_ENDED, open);
  }, []);
  const goOn = () => {
    setOpen(false);
    void cache.invalidateQueries();
  };
  return (
    <Dialog open={isOpen} onOpenChange={setOpen} title={t("title")} description={t("text")}>
      <LoginForm onDone={goOn} />
    </Dialog>
  );
}
