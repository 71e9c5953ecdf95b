"use client";

import { useTranslations } from "use-intl";
import { Button } from "./button";

/** The foot of a list that is fetched page by page: how much is shown, and the next page. */
export function LoadMore({
  shown,
  hasMore,
  isLoading,
  onMore,
}: {
  shown: number;
  hasMore: boolean;
  isLoading: boolean;
  onMore: () => void;
}) {
  const t = useTranslations("common");
  return (
    <div className="flex items-center justify-between gap-3 px-1 py-3 text-muted text-sm">
      <span aria-live="polite">{t("shown", { count: shown })}</span>
      {hasMore && (
        <Button size="sm" isBusy={isLoading} onClick={onMore}>
          {t("loadMore")}
        </Button>
      )}
    </div>
  );
}
