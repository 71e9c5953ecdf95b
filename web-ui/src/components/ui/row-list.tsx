import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

/** Rows in a frame, a line between each two. */
export function RowList({ className, ...props }: ComponentProps<"ul">) {
  return <ul className={cn("divide-y divide-line rounded-lg border bg-surface", className)} {...props} />;
}
