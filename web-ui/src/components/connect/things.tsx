"use client";

import { Fragment, type ReactNode } from "react";
import { Load } from "@/components/ui/load";
import { Page } from "@/components/ui/page";
import { ProvisionedBadge } from "@/components/ui/provisioned";
import { useUrlState } from "@/lib/use-url-state";
import { BackLink } from "./back-link";

/** All things of a kind; with `?id=` one of them, with `?new=` the form for another. */
export function Things({
  href,
  title,
  create,
  list,
  one,
  form,
}: {
  /** Where all of them are, and what they are called. */
  href: string;
  title: string;
  /** What stands above the form. */
  create: { title: string; text: string };
  list: () => ReactNode;
  one: (id: number) => ReactNode;
  /** Gets what `?new=` says. */
  form: (kind: string) => ReactNode;
}) {
  const [params] = useUrlState();
  const id = Number(params.get("id"));
  const kind = params.get("new");
  if (id > 0) return <Fragment key={id}>{one(id)}</Fragment>;
  if (kind === null) return list();
  return (
    <>
      <BackLink href={href}>{title}</BackLink>
      <Page title={create.title} description={create.text}>
        {form(kind)}
      </Page>
    </>
  );
}

/** One of them: its name, what can be done with it, and its contents when they are there. */
export function Thing<Data extends { provisioned: boolean }>({
  href,
  title,
  description,
  query,
  nameOf,
  actions,
  children,
}: {
  href: string;
  title: string;
  description: string;
  query: { data: Data | undefined; error: unknown; refetch: () => unknown };
  nameOf: (thing: Data) => string;
  actions?: (thing: Data) => ReactNode;
  children: (thing: Data) => ReactNode;
}) {
  const thing = query.data;
  return (
    <>
      <BackLink href={href}>{title}</BackLink>
      <Page
        title={<bdi>{thing ? nameOf(thing) : title}</bdi>}
        description={description}
        actions={
          thing && (
            <div className="flex items-center gap-3">
              {thing.provisioned && <ProvisionedBadge />}
              {actions?.(thing)}
            </div>
          )
        }
      >
        <Load query={query} rows={5}>
          {children}
        </Load>
      </Page>
    </>
  );
}
