import type { ComponentProps, ReactNode } from "react";
import { cn } from "@/lib/cn";

/** A piece of a screen that belongs together, with an optional heading and something at its end side. */
export function Card({
  title,
  aside,
  className,
  children,
  ...props
}: Omit<ComponentProps<"section">, "title"> & { title?: ReactNode; aside?: ReactNode }) {
  return (
    <section className={cn("rounded-lg border bg-surface p-5", className)} {...props}>
      {(title || aside) && (
        // A card that is a grid spaces it itself.
        <header className="mb-4 flex flex-wrap items-center justify-between gap-2 [.grid>&]:mb-0">
          <h2 className="font-semibold text-base">{title}</h2>
          {aside}
        </header>
      )}
      {children}
    </section>
  );
}
