"use client";

import { useQueryClient } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { type FormEvent, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { DeleteThing } from "@/components/connect/delete-thing";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { ProvisionedNote } from "@/components/ui/provisioned";
import { Select } from "@/components/ui/select";
import { Skeleton } from "@/components/ui/skeleton";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";
import { useSession } from "@/lib/session";
import { useGo } from "@/lib/use-go";
import { Preview } from "./preview";
import { type Draft, PARSE_MODES, SAMPLE, STARTS, type Subject, type Template } from "./template";
import { VocabularyCard } from "./vocabulary-card";

const CodeEditor = dynamic(() => import("./code-editor").then((module) => module.CodeEditor), {
  ssr: false,
  loading: () => <Skeleton className="h-64" />,
});

/** A template beside what it writes. Without one, a new one. */
export function TemplateEditor({ template }: { template?: Template }) {
  const t = useTranslations("templates");
  const { mayEdit } = useSession();
  const mayChange = mayEdit && !template?.provisioned;
  const go = useGo();
  const cache = useQueryClient();
  const [isChecked, setChecked] = useState(false);
  const [subject, setSubject] = useState<Subject>({ event: undefined, sample: SAMPLE });
  const insertAtCursor = useRef<(text: string) => void>(undefined);
  const [draft, setDraft] = useState<Draft>({
    name: template?.name ?? "",
    body: template?.body ?? STARTS.MarkdownV2,
    mode: template?.parse_mode ?? "MarkdownV2",
  });
  const chooseMode = (mode: Draft["mode"]) => {
    const isUntouched = !template && draft.body === STARTS[draft.mode];
    setDraft({ ...draft, mode, body: isUntouched ? STARTS[mode] : draft.body });
  };

  const refresh = () => cache.invalidateQueries({ queryKey: ["get", "/api/v1/templates"] });
  const create = api.useMutation("post", "/api/v1/templates", {
    onSuccess: async (made) => {
      await refresh();
      toast(t("created", { name: made.name }));
      go(`/templates/?id=${made.id}`);
    },
  });
  const update = api.useMutation("put", "/api/v1/templates/{id}", {
    onSuccess: async (saved) => {
      await refresh();
      cache.setQueryData(["get", "/api/v1/templates/{id}", { params: { path: { id: saved.id } } }], saved);
      toast(t("saved", { name: saved.name }));
    },
  });

  const submit = (event: FormEvent) => {
    event.preventDefault();
    setChecked(true);
    if (!draft.name.trim()) return;
    const body = { name: draft.name.trim(), body: draft.body, parse_mode: draft.mode };
    if (template) update.mutate({ params: { path: { id: template.id } }, body });
    else create.mutate({ body });
  };
  const failure = create.error ?? update.error;
  const refused = refusedField(failure);
  const isOwn = (field: string) => field === "name" || field === "body";
  const said = refused && isOwn(refused.field) ? refused : undefined;
  const saidOf = (field: string) => (said?.field === field ? <bdi>{said.why}</bdi> : undefined);

  return (
    <form onSubmit={submit} noValidate className="grid items-start gap-5 lg:grid-cols-2">
      <Card title={t("form.what")} className="grid min-w-0 gap-4">
        {template?.provisioned && <ProvisionedNote />}
        <Field label={t("name")} error={(isChecked && !draft.name.trim() && t("form.nameMissing")) || saidOf("name")}>
          {(wiring) => (
            <Input
              {...wiring}
              dir="auto"
              maxLength={64}
              readOnly={!mayChange}
              value={draft.name}
              onChange={(event) => setDraft({ ...draft, name: event.target.value })}
            />
          )}
        </Field>
        <Field label={t("mode")} hint={t(`modes.${draft.mode}`)}>
          {(wiring) => (
            <Select
              {...wiring}
              disabled={!mayChange}
              options={PARSE_MODES.map((mode) => ({ value: mode, label: <bdi>{mode}</bdi> }))}
              value={draft.mode}
              onValueChange={(chosen) => chooseMode(PARSE_MODES.find((mode) => mode === chosen) ?? "None")}
            />
          )}
        </Field>
        <div className="grid gap-1.5">
          <p className="font-medium text-sm">{t("body")}</p>
          <CodeEditor
            label={t("body")}
            value={draft.body}
            isReadOnly={!mayChange}
            onReady={(insert) => {
              insertAtCursor.current = insert;
            }}
            onChange={(body) => setDraft((before) => ({ ...before, body }))}
          />
          <p className="text-muted text-sm">
            {t.rich("form.bodyHint", { code: (words) => <bdi className="font-mono text-ink text-xs">{words}</bdi> })}
          </p>
          {saidOf("body") && (
            <p role="alert" className="text-critical text-sm">
              {saidOf("body")}
            </p>
          )}
        </div>
        {failure !== null && !said && <ErrorState error={failure} isInline />}
        {mayChange && (
          <div className="flex flex-wrap gap-2">
            <Button type="submit" variant="primary" isBusy={create.isPending || update.isPending}>
              {template ? t("form.save") : t("create.submit")}
            </Button>
            {template && <Delete template={template} />}
          </div>
        )}
      </Card>
      {mayChange && (
        <div className="min-w-0 lg:col-start-1">
          <VocabularyCard subject={subject} onInsert={(source) => insertAtCursor.current?.(source)} />
        </div>
      )}
      <div className="min-w-0 lg:sticky lg:top-4 lg:col-start-2 lg:row-span-2 lg:row-start-1">
        <Preview draft={draft} subject={subject} onSubject={setSubject} />
      </div>
    </form>
  );
}

/** Deletes a template; first says which channels it would have to be taken from. */
function Delete({ template }: { template: Template }) {
  const t = useTranslations("templates");
  const channels = api.useQuery("get", "/api/v1/channels");
  const using = channels.data?.items.filter((channel) =>
    channel.templates.some((use) => use.template_id === template.id),
  );
  const remove = api.useMutation("delete", "/api/v1/templates/{id}");
  return (
    <DeleteThing
      className="ms-auto"
      action={t("remove.action")}
      question={t("remove.question", { name: template.name })}
      done={t("remove.done", { name: template.name })}
      path="/api/v1/templates"
      back="/templates/"
      onDelete={() => remove.mutateAsync({ params: { path: { id: template.id } } })}
    >
      {using?.length === 0 && t("remove.free")}
      {using && using.length > 0 && t("remove.used", { channels: using.map(({ name }) => name).join(", ") })}
      {!using && channels.error && (
        <ErrorState error={channels.error} isInline onRetry={() => void channels.refetch()} />
      )}
    </DeleteThing>
  );
}
