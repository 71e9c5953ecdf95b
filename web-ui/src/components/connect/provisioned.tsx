"use client";

import { Lock } from "lucide-react";
import { useTranslations } from "use-intl";
import { Badge } from "@/components/ui/badge";

/** Marks what the provisioning file keeps. */
export function ProvisionedBadge() {
  const t = useTranslations("connect");
  return (
    <Badge>
      <Lock aria-hidden />
      {t("provisioned.badge")}
    </Badge>
  );
}

/** Says why there is no form. */
export function ProvisionedNote() {
  const t = useTranslations("connect");
  return (
    <p className="mb-4 flex gap-2.5 rounded-md bg-sunken p-3 text-muted">
      <Lock className="mt-0.5 size-4 shrink-0" aria-hidden />
      {t("provisioned.why")}
    </p>
  );
}
