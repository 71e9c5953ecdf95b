import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

/** A table that scrolls sideways by itself, never the page. */
export function Table({ className, ...props }: ComponentProps<"table">) {
  return (
    <div className="relative w-full overflow-x-auto rounded-lg border bg-surface">
      <table className={cn("w-full border-collapse text-base", className)} {...props} />
    </div>
  );
}

export function Tr({ className, ...props }: ComponentProps<"tr">) {
  return <tr className={cn("border-line not-last:border-b has-[td]:hover:bg-hover/50", className)} {...props} />;
}

export function Th({ className, ...props }: ComponentProps<"th">) {
  return (
    <th
      scope="col"
      className={cn("h-9 whitespace-nowrap bg-sunken px-3 text-start font-medium text-muted text-sm", className)}
      {...props}
    />
  );
}

export function Td({ className, ...props }: ComponentProps<"td">) {
  return <td className={cn("h-11 px-3 align-middle", className)} {...props} />;
}

/** For columns of numbers: they line up. */
export const NUMBERS = "text-end tabular-nums";
