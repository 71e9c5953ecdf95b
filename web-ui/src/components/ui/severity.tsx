"use client";

import {
  BellRing,
  CircleCheck,
  CircleX,
  Eye,
  Info,
  type LucideIcon,
  OctagonAlert,
  TriangleAlert,
  VolumeX,
} from "lucide-react";
import { useTranslations } from "use-intl";
import { Badge, type Tone } from "./badge";

export const SEVERITIES = ["critical", "error", "warning", "info"] as const;
export type Severity = (typeof SEVERITIES)[number];

const SEVERITY_ICONS: Record<Severity, LucideIcon> = {
  critical: OctagonAlert,
  error: CircleX,
  warning: TriangleAlert,
  info: Info,
};

/** How bad it is, by icon, word and colour together. */
export function SeverityBadge({ severity }: { severity: Severity }) {
  const t = useTranslations("common.severity");
  const Icon = SEVERITY_ICONS[severity];
  return (
    <Badge tone={severity}>
      <Icon aria-hidden />
      {t(severity)}
    </Badge>
  );
}

export const STATUSES = ["firing", "acknowledged", "resolved", "silenced"] as const;
export type Status = (typeof STATUSES)[number];

export const STATUS_LOOKS: Record<Status, { icon: LucideIcon; tone: Tone }> = {
  firing: { icon: BellRing, tone: "critical" },
  acknowledged: { icon: Eye, tone: "accent" },
  resolved: { icon: CircleCheck, tone: "success" },
  silenced: { icon: VolumeX, tone: "neutral" },
};

/** What state an alert is in, by icon, word and colour together. */
export function StatusBadge({ status }: { status: Status }) {
  const t = useTranslations("common.status");
  const { icon: Icon, tone } = STATUS_LOOKS[status];
  return (
    <Badge tone={tone}>
      <Icon aria-hidden />
      {t(status)}
    </Badge>
  );
}
