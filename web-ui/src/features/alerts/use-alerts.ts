"use client";

import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import { useLive } from "@/lib/api/live";
import { pagesKey, readPage, usePages } from "@/lib/api/pages";
import type { components } from "@/lib/api/schema";
import { type Alert, type Filter, inOrder, withChanged } from "./filter";

type AlertPage = components["schemas"]["Page_AlertView"];
type Pages = InfiniteData<AlertPage>;

const PATH = "/api/v1/alerts";
const PAGE = 200;
/** New alerts are fetched at most once in this time: the first at once. */
const FETCH_MS = 400;

/**
 * The alerts that pass a filter, last seen first, kept as they are now: what changes is replaced in place, and what is
 * new is fetched from the top, without loading again what is there.
 */
export function useAlerts(filter: Filter) {
  const cache = useQueryClient();
  const asked = { ...filter, limit: PAGE };
  const queryKey = pagesKey(PATH, asked);
  const query = usePages(PATH, asked, { staleTime: Number.POSITIVE_INFINITY, refetchOnMount: "always" });

  const edit = (change: (alerts: Alert[]) => Alert[]) =>
    cache.setQueryData<Pages>(queryKey, (data) => {
      if (!data) return data;
      const pages = data.pages.map((page) => ({ ...page, items: change(page.items) }));
      return { ...data, pages };
    });

  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const fetchedAt = useRef(0);
  const fetchTop = () => {
    const pause = Math.max(fetchedAt.current + FETCH_MS - Date.now(), 0);
    timer.current ??= setTimeout(async () => {
      timer.current = undefined;
      fetchedAt.current = Date.now();
      // When the server does not answer, everything is fetched again as soon as it is back.
      const top = await readPage(PATH, asked).catch(() => undefined);
      if (!top) return;
      cache.setQueryData<Pages>(queryKey, (before) => {
        const [first, ...rest] = before?.pages ?? [];
        if (!before || !first) return before;
        const items = inOrder([...first.items, ...top.items]);
        return { ...before, pages: [{ ...first, items }, ...rest] };
      });
    }, pause);
  };
  // biome-ignore lint/correctness/useExhaustiveDependencies: another filter is another list
  useEffect(
    () => () => {
      clearTimeout(timer.current);
      timer.current = undefined;
    },
    [JSON.stringify(filter)],
  );

  /** Takes over how alerts are now. */
  const accept = (changed: Alert[]) => {
    const known = cache.getQueryData<Pages>(queryKey)?.pages.flatMap((page) => page.items) ?? [];
    const { missing } = withChanged(known, changed, filter);
    edit((alerts) => withChanged(alerts, changed, filter).list);
    if (missing) fetchTop();
  };
  useLive(({ alerts }) => accept(alerts));

  const { items } = query;
  const alerts = useMemo(() => items && inOrder(items), [items]);
  return { ...query, alerts, accept };
}
