"use client";

import { useEffect, useId, useLayoutEffect, useRef, useState } from "react";

/** Long enough that passing over something shows nothing. */
const OPEN_MS = 300;
/** Long enough to get from the words' anchor onto the words, to select them. */
const LEAVE_MS = 120;
const GAP = 6;
const MARGIN = 8;

/** The one box in which the words of all `Tooltip`s appear. Fetched after the page can be used. */
export function TooltipLayer() {
  const id = useId();
  const box = useRef<HTMLDivElement>(null);
  const [anchor, setAnchor] = useState<HTMLElement>();

  useEffect(() => {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const show = (next: HTMLElement | undefined, delay: number) => {
      clearTimeout(timer);
      timer = setTimeout(() => setAnchor(next), delay);
    };
    const onPointerOver = ({ target, pointerType }: PointerEvent) => {
      if (pointerType === "touch" || box.current?.contains(target as Node)) return clearTimeout(timer);
      const next = anchorOf(target);
      show(next, next ? OPEN_MS : LEAVE_MS);
    };
    const onFocus = ({ target }: FocusEvent) => {
      const next = anchorOf(target);
      if (next?.matches(":focus-visible")) show(next, 0);
    };
    const hide = () => show(undefined, 0);
    const onKey = ({ key }: KeyboardEvent) => key === "Escape" && hide();
    const controller = new AbortController();
    const { signal } = controller;
    document.addEventListener("pointerover", onPointerOver, { signal });
    document.addEventListener("pointerdown", hide, { signal });
    document.addEventListener("focusin", onFocus, { signal });
    document.addEventListener("focusout", hide, { signal });
    document.addEventListener("keydown", onKey, { signal });
    document.addEventListener("scroll", hide, { signal, capture: true, passive: true });
    return () => {
      controller.abort();
      clearTimeout(timer);
    };
  }, []);

  useLayoutEffect(() => {
    if (!anchor || !box.current) return;
    place(box.current, anchor);
    anchor.setAttribute("aria-describedby", id);
    return () => anchor.removeAttribute("aria-describedby");
  }, [anchor, id]);

  if (!anchor) return null;
  return (
    <div
      ref={box}
      id={id}
      role="tooltip"
      className="fade-in fixed top-0 left-0 z-60 max-w-xs animate-in rounded-md bg-ink px-2.5 py-1.5 text-canvas text-sm shadow-floating"
    >
      {anchor.dataset.tooltip}
    </div>
  );
}

function anchorOf(target: EventTarget | null): HTMLElement | undefined {
  return (target instanceof Element && target.closest<HTMLElement>("[data-tooltip]")) || undefined;
}

/** Above its anchor, below where there is no room, and never off the screen. */
function place(box: HTMLElement, anchor: HTMLElement): void {
  const at = anchor.getBoundingClientRect();
  const { width, height } = box.getBoundingClientRect();
  const above = at.top - GAP - height;
  const centred = at.left + at.width / 2 - width / 2;
  const left = Math.max(MARGIN, Math.min(centred, window.innerWidth - MARGIN - width));
  box.style.left = `${left}px`;
  box.style.top = `${above >= MARGIN ? above : at.bottom + GAP}px`;
}
