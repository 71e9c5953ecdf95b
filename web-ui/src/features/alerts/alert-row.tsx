"use client";

import { VolumeX } from "lucide-react";
import { memo, useEffect, useRef } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Badge } from "@/components/ui/badge";
import { Checkbox } from "@/components/ui/checkbox";
import { Cut } from "@/components/ui/cut";
import { SeverityBadge, StatusBadge } from "@/components/ui/severity";
import { RelativeTime } from "@/components/ui/time";
import { cn } from "@/lib/cn";
import type { Alert } from "./filter";

export const ROW_HEIGHT = 64;

interface Props {
  alert: Alert;
  isActive: boolean;
  isSelected: boolean;
  /** Absent for those who may only look. */
  onSelect?: (id: string) => void;
  onOpen: (id: string) => void;
}

/** One alert in two lines: what it is and since when; how bad, where from, how often. Drawn once while others scroll. */
export const AlertRow = memo(function AlertRow({ alert, isActive, isSelected, onSelect, onOpen }: Props) {
  const t = useTranslations("alerts");
  const format = useFormatter();
  const button = useRef<HTMLButtonElement>(null);
  // The keys move the focus along, so that a screen reader follows.
  useEffect(() => {
    if (isActive && document.querySelector("[data-modal]") === null) button.current?.focus({ preventScroll: true });
  }, [isActive]);
  const name = alert.summary || alert.subject;
  return (
    <div
      data-active={isActive}
      className={cn(
        "relative flex h-full items-center gap-3 border-b px-3 hover:bg-hover/60 data-[active=true]:bg-accent-soft",
        alert.status === "resolved" && "text-muted",
      )}
    >
      {isActive && <span className="absolute inset-y-0 start-0 w-0.5 bg-accent" aria-hidden />}
      {onSelect && (
        <Checkbox
          className="relative z-10"
          tabIndex={-1}
          aria-label={t("select", { subject: name })}
          checked={isSelected}
          onCheckedChange={() => onSelect(alert.id)}
        />
      )}
      <div className="w-22 shrink-0 max-sm:hidden">
        <SeverityBadge severity={alert.severity} />
      </div>
      <div className="grid min-w-0 flex-1 gap-0.5">
        <button
          ref={button}
          type="button"
          onClick={() => onOpen(alert.id)}
          aria-current={isActive || undefined}
          className="min-w-0 text-start font-medium outline-offset-[-1px] after:absolute after:inset-0"
        >
          <Cut>{name}</Cut>
        </button>
        <div className="flex min-w-0 items-center gap-2 text-muted text-sm">
          <span className="sm:hidden">
            <SeverityBadge severity={alert.severity} />
          </span>
          {alert.silenced && <VolumeX className="size-3.5 shrink-0 sm:hidden" role="img" aria-label={t("silenced")} />}
          {alert.system && !name.startsWith(alert.system) && <bdi className="truncate text-ink">{alert.system}</bdi>}
          {alert.category && <bdi className="truncate max-sm:hidden">{alert.category}</bdi>}
          <bdi className="truncate max-md:hidden">{alert.source}</bdi>
        </div>
      </div>
      {alert.silenced && (
        <Badge className="max-sm:hidden">
          <VolumeX aria-hidden />
          {t("silenced")}
        </Badge>
      )}
      <div className="flex shrink-0 items-center justify-end gap-3 max-sm:flex-col max-sm:items-end max-sm:gap-1">
        <span className="w-14 text-end text-muted text-sm tabular-nums max-lg:hidden">
          {alert.count > 1 && t("times", { count: format.number(alert.count) })}
        </span>
        <StatusBadge status={alert.status} />
        <span className="relative z-10 w-16 text-end rtl:w-22 text-muted text-sm">
          <RelativeTime at={alert.last_seen} />
        </span>
      </div>
    </div>
  );
});
