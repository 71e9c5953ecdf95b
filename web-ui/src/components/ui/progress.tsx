"use client";

import { useFormatter, useTranslations } from "use-intl";
import { Button } from "./button";

/** Long work: how far it is, and a way to stop it. */
export function Progress({
  label,
  done,
  total,
  note,
  onStop,
}: {
  label: string;
  done: number;
  total: number;
  /** How far it is, where that is not "3 of 7". */
  note?: string;
  onStop?: () => void;
}) {
  const t = useTranslations("common");
  const format = useFormatter();
  return (
    <div className="grid gap-2">
      <div className="flex items-center justify-between gap-3 text-sm">
        <span>{label}</span>
        <span className="text-muted tabular-nums">
          {note ?? t("progress", { done: format.number(done), total: format.number(total) })}
        </span>
      </div>
      <div className="flex items-center gap-3">
        <progress
          aria-label={label}
          value={done}
          max={Math.max(total, 1)}
          className="h-1.5 w-full appearance-none overflow-hidden rounded-full bg-hover [&::-moz-progress-bar]:bg-accent [&::-webkit-progress-bar]:bg-hover [&::-webkit-progress-value]:bg-accent"
        />
        {onStop && (
          <Button size="sm" onClick={onStop}>
            {t("stop")}
          </Button>
        )}
      </div>
    </div>
  );
}
