"use client";

import { Lock } from "lucide-react";
import { useTranslations } from "use-intl";
import { Tooltip } from "./tooltip";

/** Marks what the provisioning file keeps, and says why it cannot be changed here. */
export function ProvisionedMark() {
  const t = useTranslations("common");
  return (
    <Tooltip text={t("provisioned")}>
      <button
        type="button"
        aria-label={t("provisioned")}
        className="grid size-9 shrink-0 place-items-center text-muted"
      >
        <Lock className="size-4" aria-hidden />
      </button>
    </Tooltip>
  );
}

/** The same in words, for a form that is shown but cannot be saved. */
export function ProvisionedNote() {
  const t = useTranslations("common");
  return (
    <p className="flex items-center gap-2 rounded-md bg-info-soft p-3 text-info text-sm">
      <Lock className="size-4 shrink-0" aria-hidden />
      {t("provisioned")}
    </p>
  );
}
