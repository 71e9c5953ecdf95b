"use client";

import { useInfiniteQuery } from "@tanstack/react-query";
import { useMemo } from "react";
import { client } from "./client";
import type { paths } from "./schema";

/** What is read with `GET` from a path. */
type Answer<Path extends keyof paths> = paths[Path] extends {
  get: { responses: { 200: { content: { "application/json": infer Body } } } };
}
  ? Body
  : undefined;

/** The paths that answer page by page. */
export type PagedPath = {
  [Path in keyof paths]: Answer<Path> extends { items: unknown[]; next_cursor?: string | null } ? Path : never;
}[keyof paths];

type ItemOf<Path extends PagedPath> = Answer<Path> extends { items: (infer Item)[] } ? Item : never;

/** A page of a path; without a `next_cursor` it is the last. */
export interface PageOf<Path extends PagedPath> {
  items: ItemOf<Path>[];
  next_cursor?: string | null;
}

/** What can be asked of a path, its place in the pages aside. */
export type PagesQuery<Path extends PagedPath> = paths[Path] extends { get: { parameters: { query?: infer Query } } }
  ? Omit<NonNullable<Query>, "cursor">
  : never;

/** Where the pages are kept in the cache; everything of a path begins with `["get", path]`. */
export const pagesKey = <Path extends PagedPath>(path: Path, query: PagesQuery<Path>) =>
  ["get", path, "pages", query] as const;

/** Reads one page; without a cursor the first. */
export async function readPage<Path extends PagedPath>(
  path: Path,
  query: PagesQuery<Path>,
  cursor?: string,
  signal?: AbortSignal,
): Promise<PageOf<Path>> {
  // The client's type cannot be followed for a path that is a parameter; ours is derived from the same document.
  const get = client.GET as (path: Path, init: object) => Promise<{ data?: PageOf<Path> }>;
  const { data } = await get(path, { params: { query: { ...query, cursor } }, signal });
  if (!data) throw new Error(`${path} answered without a page`);
  return data;
}

/** A list that comes page by page: `items` are those of all pages fetched so far. */
export function usePages<Path extends PagedPath>(path: Path, query: PagesQuery<Path>, options: PagesOptions = {}) {
  const pages = useInfiniteQuery({
    queryKey: pagesKey(path, query),
    queryFn: ({ pageParam, signal }) => readPage(path, query, pageParam, signal),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_cursor ?? undefined,
    ...options,
  });
  const { data } = pages;
  const items = useMemo(() => data?.pages.flatMap((page) => page.items), [data]);
  return { ...pages, items };
}

interface PagesOptions {
  staleTime?: number;
  refetchOnMount?: "always";
}
