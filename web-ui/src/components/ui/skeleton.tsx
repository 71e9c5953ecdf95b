import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

/** Stands where something will be, in its size, so that nothing jumps. */
export function Skeleton({ className, ...props }: ComponentProps<"div">) {
  return (
    <div aria-hidden data-skeleton className={cn("h-4 animate-pulse rounded-sm bg-hover", className)} {...props} />
  );
}

/** The rows of a list that is on its way. */
export function SkeletonRows({ count = 8 }: { count?: number }) {
  const widths = ["w-2/3", "w-1/2", "w-3/5", "w-2/5"];
  return (
    <div aria-busy className="divide-y divide-line rounded-lg border bg-surface">
      {Array.from({ length: count }, (_, row) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the rows are all alike and never move
        <div key={row} className="flex h-12 items-center gap-4 px-4">
          <Skeleton className="w-16" />
          <Skeleton className={widths[row % widths.length]} />
          <Skeleton className="ms-auto w-20" />
        </div>
      ))}
    </div>
  );
}
