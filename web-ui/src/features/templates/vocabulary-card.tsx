"use client";

import { keepPreviousData } from "@tanstack/react-query";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Card } from "@/components/ui/card";
import { Cut } from "@/components/ui/cut";
import { SearchInput } from "@/components/ui/search-input";
import { Tab, TabList, TabPanel, Tabs } from "@/components/ui/tabs";
import { api } from "@/lib/api/client";
import { useSettled } from "@/lib/use-settled";
import { objectOf, type Subject, subjectBody } from "./template";
import {
  ALERTMANAGER,
  FIELD_NAMES,
  FIELDS,
  type FieldGroup,
  FUNCTION_NAMES,
  FUNCTIONS,
  fieldSource,
  VALUES_SOURCE,
} from "./vocabulary";

/** Something that can be put into a template. */
interface Word {
  name: string;
  source: string;
  what?: string;
  value?: string;
}

const GROUPS = Object.keys(FIELDS).filter((group): group is FieldGroup => group in FIELDS);

/** All that a template can use, with the values of the event that it is tried on; a click puts it in at the cursor. */
export function VocabularyCard({ subject, onInsert }: { subject: Subject; onInsert: (source: string) => void }) {
  const t = useTranslations("templates.vocabulary");
  const [words, setWords] = useState("");
  const values = useValues(subject);
  const known = new Set<string>(FIELD_NAMES);
  const labels = Object.entries(objectIn(values?.labels))
    .filter(([name]) => !known.has(name))
    .map(([name, value]) => ({ name, source: fieldSource(name), value: textOf(value) }));
  const list = (title: string, all: Word[]) => (
    <WordList title={title} words={all} search={words} onInsert={onInsert} />
  );
  return (
    <Card title={t("title")} className="grid min-w-0 gap-3">
      <p className="text-muted text-sm">{t("text")}</p>
      <SearchInput value={words} label={t("search")} onChange={setWords} />
      <Tabs defaultValue="fields">
        <TabList aria-label={t("title")}>
          <Tab value="fields">{t("fields")}</Tab>
          <Tab value="functions">{t("functions")}</Tab>
          <Tab value="alertmanager">Alertmanager</Tab>
        </TabList>
        <Panel value="fields">
          {labels.length > 0 && list(t("labels"), labels)}
          {GROUPS.map((group) => (
            <div key={group}>
              {list(
                t(`groups.${group}`),
                FIELDS[group].map((name) => ({
                  name: `.${name}`,
                  source: fieldSource(name),
                  what: t(`field.${name}`),
                  value: textOf(values?.[name]),
                })),
              )}
            </div>
          ))}
        </Panel>
        <Panel value="functions">
          {list(
            t("functions"),
            FUNCTION_NAMES.map((name) => ({ name, source: FUNCTIONS[name], what: t(`function.${name}`) })),
          )}
        </Panel>
        <Panel value="alertmanager">
          {list(
            t("alertmanager"),
            ALERTMANAGER.map((name) => ({ name: `.${name}`, source: fieldSource(name) })),
          )}
        </Panel>
      </Tabs>
    </Card>
  );
}

function Panel({ value, children }: { value: string; children: ReactNode }) {
  return (
    <TabPanel value={value} className="pt-0">
      <div className="-mx-2 max-h-96 overflow-y-auto px-2 pt-3">{children}</div>
    </TabPanel>
  );
}

function WordList({
  title,
  words,
  search,
  onInsert,
}: {
  title: string;
  words: Word[];
  search: string;
  onInsert: (source: string) => void;
}) {
  const t = useTranslations("templates.vocabulary");
  const sought = search.toLowerCase();
  const found = words.filter(({ name, what }) => `${name} ${what ?? ""}`.toLowerCase().includes(sought));
  if (found.length === 0) return null;
  return (
    <section className="mb-4">
      <h3 className="mb-1 font-medium text-muted text-sm">{title}</h3>
      <ul>
        {found.map(({ name, source, what, value }) => (
          <li key={name}>
            <button
              type="button"
              aria-label={t("insert", { name })}
              onClick={() => onInsert(source)}
              className="grid w-full gap-x-3 rounded-md px-2 py-1.5 text-start outline-offset-[-2px] hover:bg-hover sm:grid-cols-[10rem_1fr]"
            >
              <bdi className="wrap-anywhere font-mono text-accent text-sm">{name}</bdi>
              <span className="min-w-0 text-sm">
                {what && <span className="block">{what}</span>}
                {value && <Cut className="text-muted">{value}</Cut>}
              </span>
            </button>
          </li>
        ))}
      </ul>
    </section>
  );
}

/** The values of all fields, as the engine sees them. */
function useValues(subject: Subject): Record<string, unknown> | undefined {
  const settled = { ...subject, sample: useSettled(subject.sample) };
  const body = { body: VALUES_SOURCE, parse_mode: "None", platform: "webhook", ...subjectBody(settled) };
  const { data } = api.useQuery("post", "/api/v1/templates/preview", { body }, { placeholderData: keepPreviousData });
  return data && objectOf(data.rendered);
}

function objectIn(value: unknown): Record<string, unknown> {
  return typeof value === "object" && value !== null ? { ...value } : {};
}

function textOf(value: unknown): string | undefined {
  if (value === undefined || value === null || value === "") return undefined;
  return typeof value === "string" ? value : JSON.stringify(value);
}
