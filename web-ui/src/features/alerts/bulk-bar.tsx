"use client";

import { CircleCheck, Eye, X } from "lucide-react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/confirm";
import { Progress } from "@/components/ui/progress";
import type { Bulk } from "./use-actions";

/** What can be done with the selected alerts, and how far it is. */
export function BulkBar({
  count,
  bulk,
  onMany,
  onStop,
  onClear,
}: {
  count: number;
  bulk: Bulk | undefined;
  onMany: (verb: Bulk["verb"]) => Promise<void>;
  onStop: () => void;
  onClear: () => void;
}) {
  const t = useTranslations("alerts.bulk");
  if (bulk) {
    return (
      <div className="border-b bg-accent-soft px-4 py-2">
        <Progress label={t(`running.${bulk.verb}`)} done={bulk.done} total={bulk.total} onStop={onStop} />
      </div>
    );
  }
  return (
    <div
      className="flex flex-wrap items-center gap-2 border-b bg-accent-soft px-3 py-1.5"
      role="toolbar"
      aria-label={t("title")}
    >
      <span className="me-auto font-medium text-sm" aria-live="polite">
        {t("selected", { count })}
      </span>
      <Button size="sm" onClick={() => void onMany("acknowledge")}>
        <Eye aria-hidden />
        {t("acknowledge")}
      </Button>
      <Confirm
        trigger={
          <Button size="sm">
            <CircleCheck aria-hidden />
            {t("resolve")}
          </Button>
        }
        title={t("confirm.title", { count })}
        action={t("confirm.action", { count })}
        isDangerous={false}
        onConfirm={async () => void onMany("resolve")}
      >
        {t("confirm.text")}
      </Confirm>
      <Button size="sm" variant="ghost" onClick={onClear}>
        <X aria-hidden />
        {t("clear")}
      </Button>
    </div>
  );
}
