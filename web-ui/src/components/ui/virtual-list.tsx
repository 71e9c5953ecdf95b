"use client";

import { useVirtualizer } from "@tanstack/react-virtual";
import {
  type ReactNode,
  type RefObject,
  useCallback,
  useEffect,
  useEffectEvent,
  useLayoutEffect,
  useMemo,
  useRef,
} from "react";
import { cn } from "@/lib/cn";

/** A list of any length of which only the visible rows exist. What is at `active` is kept in view. */
export function VirtualList<Item>({
  items,
  keyOf,
  rowHeight,
  active,
  label,
  className,
  onEnd,
  children,
}: {
  items: readonly Item[];
  /** Keeps rows, and the place one has scrolled to, when items come in above. */
  keyOf: (item: Item) => string;
  rowHeight: number;
  active?: number;
  label: string;
  className?: string;
  /** The last row came into view: there may be more to fetch. */
  onEnd?: () => void;
  children: (item: Item, index: number) => ReactNode;
}) {
  const box = useRef<HTMLDivElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: what an item is called does not change
  const keys = useMemo(() => items.map(keyOf), [items]);
  // Another function would make the virtualizer measure all rows anew, with each row that is scrolled by.
  const getItemKey = useCallback((index: number) => keys[index] ?? index, [keys]);
  const list = useVirtualizer({
    count: items.length,
    getScrollElement: () => box.current,
    estimateSize: () => rowHeight,
    getItemKey,
    overscan: 8,
  });

  usePlace(box, keys, rowHeight);
  const rows = list.getVirtualItems();
  const isAtEnd = items.length > 0 && rows.at(-1)?.index === items.length - 1;
  const onLast = useEffectEvent(() => onEnd?.());
  // biome-ignore lint/correctness/useExhaustiveDependencies: when more rows came and the end is still in view, again
  useEffect(() => {
    if (isAtEnd) onLast();
  }, [isAtEnd, items.length]);

  useEffect(() => {
    if (active !== undefined && active >= 0) list.scrollToIndex(active, { align: "auto" });
  }, [active, list]);

  return (
    // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard
    <div ref={box} tabIndex={0} className={cn("overflow-y-auto [overflow-anchor:none]", className)}>
      <ul aria-label={label} className="relative w-full" style={{ height: list.getTotalSize() }}>
        {rows.map(({ key, index, start }) => {
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

/** How many rows are remembered: what most of them did is what the list does, whatever a single one does. */
const REMEMBERED = 9;

/** Keeps what is being read where it is when rows come and go above it; at the top, new rows are seen at once. */
function usePlace(box: RefObject<HTMLDivElement | null>, keys: string[], rowHeight: number): void {
  const inView = useRef(new Map<string, number>());
  const remember = useEffectEvent(() => {
    const top = box.current?.scrollTop ?? 0;
    const first = Math.floor(top / rowHeight);
    const seen = top < rowHeight / 2 ? [] : keys.slice(first, first + REMEMBERED);
    inView.current = new Map(seen.map((key, index) => [key, first + index]));
  });
  const restore = useEffectEvent(() => {
    const moves = keys.flatMap((key, index) => {
      const before = inView.current.get(key);
      return before === undefined ? [] : [index - before];
    });
    const move = moves.sort((one, other) => one - other)[Math.floor(moves.length / 2)] ?? 0;
    if (box.current && move !== 0) box.current.scrollTop += move * rowHeight;
    remember();
  });
  // biome-ignore lint/correctness/useExhaustiveDependencies: whenever rows came, went or moved
  useLayoutEffect(() => restore(), [keys]);
  useEffect(() => {
    const element = box.current;
    const hear = () => remember();
    element?.addEventListener("scroll", hear, { passive: true });
    return () => element?.removeEventListener("scroll", hear);
  }, [box]);
}
