"use client";

import { type PointerEvent as ReactPointerEvent, useRef, useState } from "react";
import { moved } from "./rule-form";

/** Marks the rows of the list: `data-drag-id={id}`. */
const ROW = "[data-drag-id]";

/**
 * Puts the rows of a list into another order by dragging with mouse, pen or finger. The list follows while dragging;
 * `onOrder` gets each order on the way.
 */
export function useDragOrder(ids: number[], onOrder: (ids: number[]) => void) {
  const list = useRef<HTMLOListElement>(null);
  const [dragged, setDragged] = useState<number>();

  const start = (id: number) => (down: ReactPointerEvent) => {
    if (down.button !== 0) return;
    down.preventDefault();
    let order = ids;
    setDragged(id);
    const follow = (event: PointerEvent) => {
      const from = order.indexOf(id);
      const to = placeAt(list.current, id, event.clientY);
      if (to === from) return;
      order = moved(order, from, to);
      onOrder(order);
    };
    const end = new AbortController();
    const stop = () => {
      end.abort();
      setDragged(undefined);
    };
    window.addEventListener("pointermove", follow, { signal: end.signal });
    window.addEventListener("pointerup", stop, { signal: end.signal });
    window.addEventListener("pointercancel", stop, { signal: end.signal });
  };
  return { list, dragged, start };
}

/** How many of the other rows are above that height: the place where the dragged one belongs. */
function placeAt(list: HTMLElement | null, id: number, y: number): number {
  const others = [...(list?.querySelectorAll<HTMLElement>(ROW) ?? [])].filter(
    (row) => row.dataset.dragId !== String(id),
  );
  return others.filter((row) => {
    const { top, height } = row.getBoundingClientRect();
    return top + height / 2 < y;
  }).length;
}
