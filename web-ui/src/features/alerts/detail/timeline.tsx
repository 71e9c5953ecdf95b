"use client";

import { Bell, CircleCheck, Eye, type LucideIcon, Tag, Undo2 } from "lucide-react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { SeverityBadge, StatusBadge } from "@/components/ui/severity";
import { RelativeTime } from "@/components/ui/time";
import type { components } from "@/lib/api/schema";

const WHATS = ["event", "acknowledge", "unacknowledge", "resolve", "label"] as const;
type What = (typeof WHATS)[number];

const ICONS: Record<What, LucideIcon> = {
  event: Bell,
  acknowledge: Eye,
  unacknowledge: Undo2,
  resolve: CircleCheck,
  label: Tag,
};

/** What happened to an alert, event by event and hand by hand. */
export function Timeline({
  moments,
  shown,
  onEvent,
}: {
  moments: components["schemas"]["Moment"][];
  /** The event whose details are shown. */
  shown: string;
  onEvent: (id: string) => void;
}) {
  const t = useTranslations("alerts.timeline");
  return (
    <ol className="grid">
      {moments.map(({ at, what, by, text, event, severity, status }) => {
        const kind = WHATS.find((each) => each === what) ?? "event";
        const Icon = ICONS[kind];
        return (
          <li
            key={`${at} ${what} ${event}`}
            className="flex gap-3 pb-4 not-last:bg-[linear-gradient(var(--line),var(--line))] bg-[length:1px_100%] bg-[position:11px_0] bg-no-repeat rtl:bg-[position:calc(100%-11px)_0]"
          >
            <span className="grid size-6 shrink-0 place-items-center rounded-full border bg-surface text-muted">
              <Icon className="size-3.5" aria-hidden />
            </span>
            <div className="grid min-w-0 flex-1 gap-1 pt-0.5">
              <div className="flex flex-wrap items-center gap-2 text-sm">
                <span className="font-medium">
                  {by ? t.rich(`by.${kind}`, { who: () => <bdi>{by}</bdi> }) : t(kind)}
                </span>
                {severity && <SeverityBadge severity={severity} />}
                {status && <StatusBadge status={status} />}
                <span className="ms-auto text-muted">
                  <RelativeTime at={at} />
                </span>
              </div>
              {text && (
                <p className="break-words text-muted text-sm">
                  <bdi>{text}</bdi>
                </p>
              )}
              {kind === "event" && event !== shown && (
                <Button size="sm" variant="ghost" className="-ms-2.5 justify-self-start" onClick={() => onEvent(event)}>
                  {t("show")}
                </Button>
              )}
            </div>
          </li>
        );
      })}
    </ol>
  );
}
