"use client";

import type { ReactNode } from "react";
import { ErrorState } from "./error-state";
import { LoadMore } from "./load-more";
import { SkeletonRows } from "./skeleton";

interface Query<Data> {
  data: Data | undefined;
  error: unknown;
  refetch: () => unknown;
}

/** What was fetched, or what stands in its place until then or instead. */
export function Load<Data>({
  query,
  rows,
  children,
}: {
  query: Query<Data>;
  rows?: number;
  children: (data: Data) => ReactNode;
}) {
  if (query.data !== undefined) return children(query.data);
  if (query.error) return <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  return <SkeletonRows count={rows} />;
}

/** What `usePages` gives. */
interface Pages<Item> {
  items: Item[] | undefined;
  error: unknown;
  refetch: () => unknown;
  hasNextPage: boolean;
  isFetchingNextPage: boolean;
  fetchNextPage: () => unknown;
}

/** A list that comes page by page with its foot, or what stands in its place: also where there is `nothing`. */
export function LoadPages<Item>({
  pages,
  nothing,
  children,
}: {
  pages: Pages<Item>;
  nothing: ReactNode;
  children: (items: Item[]) => ReactNode;
}) {
  const { items, error, refetch, hasNextPage, isFetchingNextPage, fetchNextPage } = pages;
  return (
    <Load query={{ data: items, error, refetch }}>
      {(loaded) =>
        loaded.length === 0 && !hasNextPage ? (
          nothing
        ) : (
          <>
            {children(loaded)}
            {error ? <ErrorState error={error} isInline onRetry={() => void fetchNextPage()} /> : null}
            <LoadMore
              shown={loaded.length}
              hasMore={hasNextPage}
              isLoading={isFetchingNextPage}
              onMore={() => void fetchNextPage()}
            />
          </>
        )
      }
    </Load>
  );
}
