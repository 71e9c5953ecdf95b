import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

const control =
  "w-full rounded-md border border-line-strong bg-surface px-3 text-base text-ink placeholder:text-muted aria-invalid:border-critical disabled:bg-sunken disabled:text-muted";

export function Input({ className, dir, ...props }: ComponentProps<"input">) {
  return <input className={cn(control, "h-9", className)} dir={directionOf(dir, props.value)} {...props} />;
}

export function Textarea({ className, dir, ...props }: ComponentProps<"textarea">) {
  return (
    <textarea className={cn(control, "min-h-24 py-2", className)} dir={directionOf(dir, props.value)} {...props} />
  );
}

/** What is empty has no direction of its own: it follows the page, where `auto` alone would mean left to right. */
function directionOf(dir: string | undefined, value: unknown): string | undefined {
  return dir === "auto" && value === "" ? undefined : dir;
}
