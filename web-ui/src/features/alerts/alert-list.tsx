"use client";

import type { ReactNode } from "react";
import { useTranslations } from "use-intl";
import { SkeletonRows } from "@/components/ui/skeleton";
import { VirtualList } from "@/components/ui/virtual-list";
import { AlertRow, ROW_HEIGHT } from "./alert-row";
import type { Alert } from "./filter";

/** The rows. They are fetched while the alerts are: without any yet, it stands there as a skeleton. */
export function AlertList({
  alerts,
  active,
  chosen,
  hasMore,
  onMore,
  onSelect,
  onOpen,
  children,
}: {
  alerts: Alert[] | undefined;
  active: number;
  chosen: ReadonlySet<string>;
  hasMore: boolean;
  onMore: () => void;
  /** Absent for those who may only look. */
  onSelect?: (id: string) => void;
  onOpen: (id: string) => void;
  /** What stands above the rows. */
  children: ReactNode;
}) {
  const t = useTranslations("alerts");
  if (!alerts) return <SkeletonRows />;
  return (
    <div className="min-w-0 overflow-hidden rounded-lg border bg-surface">
      {children}
      <VirtualList
        items={alerts}
        keyOf={(alert) => alert.id}
        rowHeight={ROW_HEIGHT}
        active={active}
        label={t("title")}
        className="max-h-[max(22rem,calc(100dvh-17rem))] outline-offset-[-2px]"
        onEnd={() => hasMore && onMore()}
      >
        {(alert, index) => (
          <AlertRow
            alert={alert}
            isActive={index === active}
            isSelected={chosen.has(alert.id)}
            onSelect={onSelect}
            onOpen={onOpen}
          />
        )}
      </VirtualList>
      <p className="border-t px-4 py-2 text-muted text-sm" aria-live="polite">
        {t("loaded", { count: alerts.length, more: String(hasMore) })}
      </p>
    </div>
  );
}
