"use client";

import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";
import { useFormatter } from "use-intl";
import { cn } from "@/lib/cn";
import type { Tone } from "./badge";
import { Link } from "./link";

const COLOURS: Partial<Record<Tone, string>> = {
  critical: "text-critical",
  warning: "text-warning",
  success: "text-success",
};

/** One number with its name; with `href` it leads to what it counts. */
export function Kpi({
  label,
  icon: Icon,
  value,
  note,
  tone = "neutral",
  href,
}: {
  label: ReactNode;
  icon?: LucideIcon;
  value: number;
  note?: ReactNode;
  tone?: Tone;
  href?: string;
}) {
  const format = useFormatter();
  const content = (
    <>
      <span className="flex items-center gap-1.5 text-muted text-sm">
        {Icon && <Icon className={cn("size-4", COLOURS[tone])} aria-hidden />}
        {label}
      </span>
      <span className={cn("font-semibold text-2xl tabular-nums", COLOURS[tone])}>{format.number(value)}</span>
      {note && <span className="text-muted text-xs">{note}</span>}
    </>
  );
  const classes = "grid content-start gap-1 rounded-lg border bg-surface px-4 py-3";
  if (!href) return <div className={classes}>{content}</div>;
  return (
    <Link href={href} className={cn(classes, "transition-colors hover:border-line-strong")}>
      {content}
    </Link>
  );
}
