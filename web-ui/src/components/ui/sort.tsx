"use client";

import { ArrowDown, ArrowUp, ChevronsUpDown } from "lucide-react";
import type { ReactNode } from "react";
import { useLocale } from "use-intl";
import { cn } from "@/lib/cn";
import { inOrderOf, type Value } from "@/lib/sorted";
import { useUrlState } from "@/lib/use-url-state";
import { Th } from "./table";

/** By which column a table is ordered. */
export interface Sorting {
  column?: string;
  isDown: boolean;
  onSort: (column: string) => void;
}

/**
 * Rows in the order that the URL asks for: `sort=name`, downwards `sort=-name`, else as they came. A list of which more
 * pages are to come is not whole: it stays as it is, and there is no `sorting`.
 */
export function useSort<Item>(items: Item[], columns: Record<string, (item: Item) => Value>, isWhole = true) {
  const locale = useLocale();
  const [params, change] = useUrlState();
  const asked = params.get("sort") ?? "";
  const isDown = asked.startsWith("-");
  const column = isDown ? asked.slice(1) : asked;
  const compared = columns[column];
  if (!isWhole) return { sorted: items, sorting: undefined };
  const sorting: Sorting = {
    column: compared && column,
    isDown,
    // Up, down, and as it came.
    onSort: (next) => change({ sort: asked === next ? `-${next}` : asked === `-${next}` ? undefined : next }),
  };
  return { sorted: compared ? inOrderOf(items, compared, isDown, locale) : items, sorting };
}

/** A column's head that orders the table by it; without `sorting`, only a head. */
export function SortTh({
  column,
  sorting,
  className,
  children,
}: {
  column: string;
  sorting: Sorting | undefined;
  className?: string;
  children: ReactNode;
}) {
  if (!sorting) return <Th className={className}>{children}</Th>;
  const isSorted = sorting.column === column;
  const Icon = !isSorted ? ChevronsUpDown : sorting.isDown ? ArrowDown : ArrowUp;
  return (
    <Th
      className={cn("px-0", className)}
      aria-sort={isSorted ? (sorting.isDown ? "descending" : "ascending") : undefined}
    >
      <button
        type="button"
        onClick={() => sorting.onSort(column)}
        className={cn(
          "group flex h-9 w-full items-center gap-1 px-3 font-medium outline-offset-[-2px] hover:text-ink [.text-end>&]:flex-row-reverse",
          isSorted && "text-ink",
        )}
      >
        {children}
        <Icon
          aria-hidden
          className={cn(
            "size-3.5 shrink-0",
            !isSorted && "opacity-0 group-hover:opacity-100 group-focus-visible:opacity-100",
          )}
        />
      </button>
    </Th>
  );
}
