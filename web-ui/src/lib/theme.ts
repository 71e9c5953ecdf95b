"use client";

import { useSyncExternalStore } from "react";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

// The same key as in public/theme.js, which sets the theme before the first paint.
const KEY = "watchbell-theme";
const CHANGED = "watchbell-theme";

function chosenTheme(): Theme {
  const stored = localStorage.getItem(KEY);
  return THEMES.find((theme) => theme === stored) ?? "system";
}

function apply(): void {
  const theme = chosenTheme();
  const dark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}

function subscribe(changed: () => void): () => void {
  const update = () => {
    apply();
    changed();
  };
  const system = matchMedia("(prefers-color-scheme: dark)");
  system.addEventListener("change", update);
  window.addEventListener("storage", update);
  window.addEventListener(CHANGED, update);
  return () => {
    system.removeEventListener("change", update);
    window.removeEventListener("storage", update);
    window.removeEventListener(CHANGED, update);
  };
}

/** The chosen theme, and how to choose another; follows the system and other tabs. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const theme = useSyncExternalStore(subscribe, chosenTheme, () => "system" as const);
  const choose = (next: Theme) => {
    localStorage.setItem(KEY, next);
    window.dispatchEvent(new Event(CHANGED));
  };
  return [theme, choose];
}
