"use client";

import { FileText, Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { useTranslations } from "use-intl";
import { BackLink } from "@/components/connect/back-link";
import { Load } from "@/components/connect/load";
import { ProvisionedBadge } from "@/components/connect/provisioned";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { Link } from "@/components/ui/link";
import { Page } from "@/components/ui/page";
import { SkeletonRows } from "@/components/ui/skeleton";
import { NUMBERS, Table, Td, Th, Tr } from "@/components/ui/table";
import { RelativeTime } from "@/components/ui/time";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { useUrlState } from "@/lib/use-url-state";
import type { Template } from "./template";

// Fetched when needed: lists are looked at more often than they are changed.
const TemplateEditor = dynamic(() => import("./template-editor").then((module) => module.TemplateEditor), {
  ssr: false,
  loading: () => <SkeletonRows />,
});

/** All templates; with `?id=` one of them, with `?new=` the editor for another. */
export function TemplatesScreen() {
  const t = useTranslations("templates");
  const [params] = useUrlState();
  const id = Number(params.get("id"));
  if (id > 0) return <OneTemplate key={id} id={id} />;
  if (params.has("new")) {
    return (
      <>
        <BackLink href="/templates/">{t("title")}</BackLink>
        <Page title={t("create.title")} description={t("create.text")}>
          <TemplateEditor />
        </Page>
      </>
    );
  }
  return <TemplateList />;
}

function OneTemplate({ id }: { id: number }) {
  const t = useTranslations("templates");
  const query = api.useQuery("get", "/api/v1/templates/{id}", { params: { path: { id } } });
  return (
    <>
      <BackLink href="/templates/">{t("title")}</BackLink>
      <Page
        title={<bdi>{query.data?.name ?? t("title")}</bdi>}
        description={t("one")}
        actions={query.data?.provisioned && <ProvisionedBadge />}
      >
        <Load query={query} rows={5}>
          {(template) => <TemplateEditor template={template} />}
        </Load>
      </Page>
    </>
  );
}

function TemplateList() {
  const t = useTranslations("templates");
  const { mayEdit } = useSession();
  const templates = api.useQuery("get", "/api/v1/templates");
  const isEmpty = templates.data?.items.length === 0;
  const create = mayEdit && (
    <Button asChild variant="primary">
      <Link href="/templates/?new=1">
        <Plus aria-hidden />
        {t("create.action")}
      </Link>
    </Button>
  );
  return (
    <Page title={t("title")} description={t("description")} actions={!isEmpty && create}>
      <Load query={templates}>
        {({ items }) =>
          isEmpty ? (
            <EmptyState
              icon={FileText}
              title={t("empty.title")}
              action={
                <>
                  {create}
                  <Button asChild>
                    <Link href="/channels/">{t("empty.action")}</Link>
                  </Button>
                </>
              }
            >
              {t("empty.text")}
            </EmptyState>
          ) : (
            <TemplateTable templates={items} />
          )
        }
      </Load>
    </Page>
  );
}

function TemplateTable({ templates }: { templates: Template[] }) {
  const t = useTranslations("templates");
  const channels = api.useQuery("get", "/api/v1/channels");
  const usesOf = (id: number) =>
    channels.data?.items.filter((channel) => channel.templates.some((use) => use.template_id === id)).length;
  return (
    <Table>
      <thead>
        <Tr>
          <Th>{t("name")}</Th>
          <Th>{t("mode")}</Th>
          <Th className={`${NUMBERS} hidden sm:table-cell`}>{t("channels")}</Th>
          <Th className="hidden sm:table-cell">{t("changed")}</Th>
        </Tr>
      </thead>
      <tbody>
        {templates.map((template) => (
          <Tr key={template.id}>
            <Td>
              <div className="flex flex-wrap items-center gap-2 py-1.5">
                <Link href={`/templates/?id=${template.id}`} className="font-medium hover:text-accent hover:underline">
                  <bdi>{template.name}</bdi>
                </Link>
                {template.provisioned && <ProvisionedBadge />}
              </div>
            </Td>
            <Td>
              <bdi>{template.parse_mode}</bdi>
            </Td>
            <Td className={`${NUMBERS} hidden sm:table-cell`}>{t("count", { count: usesOf(template.id) ?? 0 })}</Td>
            <Td className="hidden text-muted sm:table-cell">
              <RelativeTime at={template.updated_at} />
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}
