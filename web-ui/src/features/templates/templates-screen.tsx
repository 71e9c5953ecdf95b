"use client";

import { FileText } from "lucide-react";
import dynamic from "next/dynamic";
import { useTranslations } from "use-intl";
import { NameCell } from "@/components/connect/name-cell";
import { Thing, Things } from "@/components/connect/things";
import { Button } from "@/components/ui/button";
import { Link } from "@/components/ui/link";
import { CreateButton, ListScreen } from "@/components/ui/list-screen";
import { SkeletonRows } from "@/components/ui/skeleton";
import { SortTh, useSort } from "@/components/ui/sort";
import { NUMBERS, Table, Td, Tr } from "@/components/ui/table";
import { RelativeTime } from "@/components/ui/time";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import type { Template } from "./template";

// Fetched when needed: lists are looked at more often than they are changed.
const TemplateEditor = dynamic(() => import("./template-editor").then((module) => module.TemplateEditor), {
  ssr: false,
  loading: () => <SkeletonRows />,
});

/** All templates; with `?id=` one of them, with `?new=` the editor for another. */
export function TemplatesScreen() {
  const t = useTranslations("templates");
  return (
    <Things
      href="/templates/"
      title={t("title")}
      create={{ title: t("create.title"), text: t("create.text") }}
      list={() => <TemplateList />}
      one={(id) => <OneTemplate id={id} />}
      form={() => <TemplateEditor />}
    />
  );
}

function OneTemplate({ id }: { id: number }) {
  const t = useTranslations("templates");
  const query = api.useQuery("get", "/api/v1/templates/{id}", { params: { path: { id } } });
  return (
    <Thing href="/templates/" title={t("title")} description={t("one")} query={query} nameOf={({ name }) => name}>
      {(template) => <TemplateEditor template={template} />}
    </Thing>
  );
}

function TemplateList() {
  const t = useTranslations("templates");
  const { mayEdit } = useSession();
  const templates = api.useQuery("get", "/api/v1/templates");
  const channels = (
    <Button asChild>
      <Link href="/channels/">{t("empty.action")}</Link>
    </Button>
  );
  return (
    <ListScreen
      title={t("title")}
      description={t("description")}
      create={mayEdit && <CreateButton href="/templates/?new=1">{t("create.action")}</CreateButton>}
      query={templates}
      icon={FileText}
      empty={{ title: t("empty.title"), text: t("empty.text"), action: channels }}
    >
      {(items) => <TemplateTable templates={items} />}
    </ListScreen>
  );
}

function TemplateTable({ templates }: { templates: Template[] }) {
  const t = useTranslations("templates");
  const channels = api.useQuery("get", "/api/v1/channels");
  const usesOf = (id: number) =>
    channels.data?.items.filter((channel) => channel.templates.some((use) => use.template_id === id)).length;
  const { sorted, sorting } = useSort(templates, {
    name: ({ name }) => name,
    mode: ({ parse_mode }) => parse_mode,
    channels: ({ id }) => usesOf(id),
    changed: ({ updated_at }) => updated_at,
  });
  return (
    <Table>
      <thead>
        <Tr>
          <SortTh column="name" sorting={sorting}>
            {t("name")}
          </SortTh>
          <SortTh column="mode" sorting={sorting}>
            {t("mode")}
          </SortTh>
          <SortTh column="channels" sorting={sorting} className={`${NUMBERS} hidden sm:table-cell`}>
            {t("channels")}
          </SortTh>
          <SortTh column="changed" sorting={sorting} className="hidden sm:table-cell">
            {t("changed")}
          </SortTh>
        </Tr>
      </thead>
      <tbody>
        {sorted.map((template) => (
          <Tr key={template.id}>
            <NameCell href={`/templates/?id=${template.id}`} {...template} />
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
