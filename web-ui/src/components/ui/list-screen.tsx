"use client";

import { type LucideIcon, Plus } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "./button";
import { EmptyState } from "./empty-state";
import { Link } from "./link";
import { Load } from "./load";
import { Page } from "./page";

interface List<Item> {
  data: { items: Item[] } | undefined;
  error: unknown;
  refetch: () => unknown;
}

/** A screen with all things of a kind and the button that makes another; that button moves into the page while there are none. */
export function ListScreen<Item>({
  title,
  description,
  create,
  query,
  rows = 4,
  icon,
  empty,
  children,
}: {
  title: string;
  description: string;
  /** Absent for those who may only look. */
  create?: ReactNode;
  query: List<Item>;
  /** How many stand there while they are fetched. */
  rows?: number;
  icon: LucideIcon;
  /** What these things are for, and what else can be done while there are none. */
  empty: { title: string; text: string; action?: ReactNode };
  children: (items: Item[]) => ReactNode;
}) {
  const hasSome = query.data !== undefined && query.data.items.length > 0;
  return (
    <Page title={title} description={description} actions={hasSome && create}>
      <Load query={query} rows={rows}>
        {({ items }) =>
          items.length > 0 ? (
            children(items)
          ) : (
            <EmptyState
              icon={icon}
              title={empty.title}
              action={
                <>
                  {create}
                  {empty.action}
                </>
              }
            >
              {empty.text}
            </EmptyState>
          )
        }
      </Load>
    </Page>
  );
}

/** The button that makes another, on a page of its own (`href`) or in front of the list. */
export function CreateButton({
  children,
  ...target
}: { children: ReactNode } & ({ href: string } | { onClick: () => void })) {
  const content = (
    <>
      <Plus aria-hidden />
      {children}
    </>
  );
  if ("onClick" in target) {
    return (
      <Button variant="primary" onClick={target.onClick}>
        {content}
      </Button>
    );
  }
  return (
    <Button asChild variant="primary">
      <Link href={target.href}>{content}</Link>
    </Button>
  );
}
