"use client";

import { CloudAlert, RotateCw } from "lucide-react";
import { useTranslations } from "use-intl";
import { ApiError, kindOf } from "@/lib/api/errors";
import { cn } from "@/lib/cn";
import { Button } from "./button";

/** What went wrong, what to do about it, and the number that finds it in the server's log. */
export function ErrorState({
  error,
  onRetry,
  isInline = false,
}: {
  error: unknown;
  onRetry?: () => void;
  /** A few lines inside a form, instead of in place of what could not be shown. */
  isInline?: boolean;
}) {
  const t = useTranslations("errors");
  const kind = kindOf(error);
  const said = error instanceof ApiError && error.status > 0 && error.message;
  return (
    <div
      role="alert"
      className={cn(
        "flex gap-3",
        isInline ? "rounded-md bg-critical-soft p-3" : "mx-auto max-w-md flex-col items-center px-6 py-16 text-center",
      )}
    >
      <CloudAlert className={cn("shrink-0 text-critical", isInline ? "mt-0.5 size-4" : "size-8")} aria-hidden />
      <div className="grid gap-1">
        <p className={cn("font-medium", !isInline && "text-lg")}>{t(`${kind}.title`)}</p>
        <p className={isInline ? "text-ink text-sm" : "text-muted"}>{t(`${kind}.advice`)}</p>
        {said && kind !== "unauthorized" && (
          <p className="text-muted text-sm">
            {t.rich("serverSaid", { words: said, b: (words) => <bdi className="font-medium text-ink">{words}</bdi> })}
          </p>
        )}
        {error instanceof ApiError && error.requestId && (
          <p className="text-muted text-xs">
            {t("requestId")} <bdi className="font-mono">{error.requestId}</bdi>
          </p>
        )}
      </div>
      {onRetry && (
        <Button onClick={onRetry} size={isInline ? "sm" : "md"} className={isInline ? "ms-auto" : undefined}>
          <RotateCw aria-hidden />
          {t("retry")}
        </Button>
      )}
    </div>
  );
}
