"use client";

import { useTranslations } from "use-intl";
import { Badge } from "@/components/ui/badge";
import { Switch } from "@/components/ui/switch";
import { useSession } from "@/lib/session";

/** Switches something on and off; for those who may not, says how it is. */
export function EnabledSwitch({
  thing,
  label,
  isOn,
  hasCaption = false,
  onChange,
}: {
  thing: { enabled: boolean; provisioned: boolean };
  /** What the switch does, with the name of the thing. */
  label: string;
  /** How it will be once the change under way is made. */
  isOn: boolean;
  hasCaption?: boolean;
  onChange: (enabled: boolean) => void;
}) {
  const t = useTranslations("connect.enabled");
  const { mayEdit } = useSession();
  if (!mayEdit || thing.provisioned) {
    return <Badge tone={thing.enabled ? "success" : "neutral"}>{thing.enabled ? t("on") : t("off")}</Badge>;
  }
  return (
    <span className="inline-flex items-center gap-2 align-middle text-muted">
      {hasCaption && t("title")}
      <Switch aria-label={label} checked={isOn} onCheckedChange={onChange} />
    </span>
  );
}
