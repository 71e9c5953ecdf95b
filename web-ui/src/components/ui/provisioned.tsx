"use client";

// What the provisioning file keeps cannot be changed here: as an icon, as a word, and as a sentence with the reason.
import { Lock } from "lucide-react";
import { useTranslations } from "use-intl";
import { Badge } from "./badge";
import { Tooltip } from "./tooltip";

export function ProvisionedMark() {
  const t = useTranslations("common.provisioned");
  return (
    <Tooltip text={t("why")}>
      <button type="button" aria-label={t("why")} className="grid size-9 shrink-0 place-items-center text-muted">
        <Lock className="size-4" aria-hidden />
      </button>
    </Tooltip>
  );
}

export function ProvisionedBadge() {
  const t = useTranslations("common.provisioned");
  return (
    <Badge>
      <Lock aria-hidden />
      {t("badge")}
    </Badge>
  );
}

export function ProvisionedNote() {
  const t = useTranslations("common.provisioned");
  return (
    <p className="flex gap-2.5 rounded-md bg-sunken p-3 text-muted text-sm">
      <Lock className="mt-0.5 size-4 shrink-0" aria-hidden />
      {t("why")}
    </p>
  );
}
