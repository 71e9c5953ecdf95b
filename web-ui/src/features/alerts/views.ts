"use client";

import { useSyncExternalStore } from "react";

/** A list with a name: what stands after `?`, so that a view can also be sent to somebody. */
export interface View {
  name: string;
  query: string;
}

const KEY = "watchbell-alert-views";
const CHANGED = "watchbell-alert-views";
const NONE: View[] = [];

let read: { text: string | null; views: View[] } = { text: null, views: NONE };

function views(): View[] {
  const text = localStorage.getItem(KEY);
  if (text !== read.text) read = { text, views: parse(text) };
  return read.views;
}

function parse(text: string | null): View[] {
  try {
    const found: unknown = JSON.parse(text ?? "[]");
    return Array.isArray(found) ? found.filter(isView) : NONE;
  } catch {
    return NONE;
  }
}

function isView(value: unknown): value is View {
  return (
    typeof value === "object" &&
    value !== null &&
    "name" in value &&
    typeof value.name === "string" &&
    "query" in value &&
    typeof value.query === "string"
  );
}

function subscribe(changed: () => void): () => void {
  window.addEventListener("storage", changed);
  window.addEventListener(CHANGED, changed);
  return () => {
    window.removeEventListener("storage", changed);
    window.removeEventListener(CHANGED, changed);
  };
}

function write(next: View[]): void {
  localStorage.setItem(KEY, JSON.stringify(next));
  window.dispatchEvent(new Event(CHANGED));
}

/** The views that were saved in this browser; one that is saved under a name that exists replaces it. */
export function useViews() {
  const saved = useSyncExternalStore(subscribe, views, () => NONE);
  const without = (name: string) => saved.filter((view) => view.name !== name);
  return {
    saved,
    save: (view: View) => write([...without(view.name), view]),
    remove: (name: string) => write(without(name)),
  };
}
