"use client";

import { useVirtualizer } from "@tanstack/react-virtual";
import { type ReactNode, useEffect, useRef } from "react";
import { cn } from "@/lib/cn";

/** A list of any length of which only the visible rows exist. What is at `active` is kept in view. */
export function VirtualList<Item>({
  items,
  keyOf,
  rowHeight,
  active,
  label,
  className,
  children,
}: {
  items: readonly Item[];
  /** Keeps rows, and the place one has scrolled to, when items come in above. */
  keyOf: (item: Item) => string;
  rowHeight: number;
  active?: number;
  label: string;
  className?: string;
  children: (item: Item, index: number) => ReactNode;
}) {
  const box = useRef<HTMLDivElement>(null);
  const list = useVirtualizer({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    getItemKey: (index) => {
      const item = items[index];
      return item === undefined ? index : keyOf(item);
    },
    overscan: 8,
  });

  useEffect(() => {
    if (active !== undefined && active >= 0) list.scrollToIndex(active, { align: "auto" });
  }, [active, list]);

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <div ref={box} tabIndex={0} className={cn("overflow-y-auto", className)}>
      <ul aria-label={label} className="relative w-full" style={{ height: list.getTotalSize() }}>
        {list.getVirtualItems().map(({ key, index, start }) => {
          const item = items[index];
          if (item === undefined) return null;
          return (
            <li
              key={key}
              aria-posinset={index + 1}
              aria-setsize={items.length}
              className="absolute inset-x-0 top-0"
              style={{ height: rowHeight, transform: `translateY(${start}px)` }}
            >
              {children(item, index)}
            </li>
          );
        })}
      </ul>
    </div>
  );
}
