"use client";

import { usePathname, useSearchParams } from "next/navigation";

/** The part of the URL after `?`, and how to change some of it: what a list shows can be linked and reloaded. */
export function useUrlState(): [URLSearchParams, (changes: Record<string, string | undefined>) => void] {
  const params = useSearchParams();
  const path = usePathname();
  const change = (changes: Record<string, string | undefined>) => {
    const next = new URLSearchParams(window.location.search);
    for (const [name, value] of Object.entries(changes)) {
      if (value) next.set(name, value);
      else next.delete(name);
    }
    const query = next.toString();
    // Not the router's: nothing has to be fetched, and the scroll position stays.
    window.history.replaceState(null, "", query ? `${path}?${query}` : path);
  };
  return [params, change];
}
