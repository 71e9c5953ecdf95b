"use client";

import { TriangleAlert } from "lucide-react";
import { useTranslations } from "use-intl";
import { CodeBlock } from "@/components/ui/code-block";
import { Dialog } from "@/components/ui/dialog";

/** A secret that the server tells once. Nothing shows it again, so it stays until it is closed on purpose. */
export function SecretDialog({
  title,
  text,
  label,
  secret,
  onClose,
}: {
  title: string;
  text: string;
  label: string;
  secret: string;
  onClose: () => void;
}) {
  const t = useTranslations("team");
  return (
    <Dialog open onOpenChange={onClose} title={title} description={text}>
      <CodeBlock label={label} code={secret} />
      <p className="mt-3 flex gap-2 text-sm text-warning">
        <TriangleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
        {t("shownOnce")}
      </p>
    </Dialog>
  );
}
