import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

/** Somebody's words in one line, cut at their own end: in a page from right to left, too, English loses its last words. */
export function Cut({ className, ...props }: ComponentProps<"bdi">) {
  return <bdi className={cn("block truncate", className)} {...props} />;
}
