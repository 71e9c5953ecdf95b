"use client";

import { useSyncExternalStore } from "react";

function subscribe(changed: () => void): () => void {
  window.addEventListener("hashchange", changed);
  return () => window.removeEventListener("hashchange", changed);
}

/** The secret of a one-time link: what stands behind its `#`, which no browser sends to a server. */
export function useLinkCode(): string {
  return useSyncExternalStore(
    subscribe,
    () => codeIn(window.location.hash),
    () => "",
  );
}

/** The secret in what somebody pasted: the link as a whole, or the secret alone. */
export function codeIn(text: string): string {
  return text.slice(text.indexOf("#") + 1).trim();
}
