"use client";

import { type InfiniteData, useQueryClient } from "@tanstack/react-query";
import { useEffect, useMemo, useRef } from "react";
import { api, client } from "@/lib/api/client";
import { useLive } from "@/lib/api/live";
import type { components } from "@/lib/api/schema";
import { type Alert, type Filter, inOrder, withChanged } from "./filter";

type AlertPage = components["schemas"]["Page_AlertView"];
type Pages = InfiniteData<AlertPage>;

const PAGE = 200;
/** New alerts are fetched at most once in this time. */
const FETCH_MS = 400;

/**
 * The alerts that pass a filter, last seen first, kept as they are now: what changes is replaced in place, and what is
 * new is fetched from the top, without loading again what is there.
 */
export function useAlerts(filter: Filter) {
  const cache = useQueryClient();
  const init = { params: { query: { ...filter, limit: PAGE } } };
  const queryKey = ["get", "/api/v1/alerts", init];
  const query = api.useInfiniteQuery("get", "/api/v1/alerts", init, {
    initialPageParam: null,
    getNextPageParam: (page) => page.next_cursor,
    staleTime: Number.POSITIVE_INFINITY,
    refetchOnMount: "always",
  });

  const edit = (change: (alerts: Alert[]) => Alert[]) =>
    cache.setQueryData<Pages>(queryKey, (data) => {
      if (!data) return data;
      const pages = data.pages.map((page) => ({ ...page, items: change(page.items) }));
      return { ...data, pages };
    });

  const timer = useRef<ReturnType<typeof setTimeout>>(undefined);
  const fetchTop = () => {
    timer.current ??= setTimeout(async () => {
      timer.current = undefined;
      const { data } = await client.GET("/api/v1/alerts", init);
      if (!data) return;
      cache.setQueryData<Pages>(queryKey, (before) => {
        const [first, ...rest] = before?.pages ?? [];
        if (!before || !first) return before;
        const items = inOrder([...first.items, ...data.items]);
        return { ...before, pages: [{ ...first, items }, ...rest] };
      });
    }, FETCH_MS);
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

  const alerts = useMemo(() => query.data && inOrder(query.data.pages.flatMap((page) => page.items)), [query.data]);
  return { ...query, alerts, accept };
}
