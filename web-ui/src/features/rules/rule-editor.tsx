"use client";

import { useQueryClient } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { type ReactNode, useState } from "react";
import { FormProvider, useForm, useWatch } from "react-hook-form";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { EditorDrawer } from "@/components/ui/editor-drawer";
import { ErrorState } from "@/components/ui/error-state";
import { ProvisionedNote } from "@/components/ui/provisioned";
import { Tab, TabList, TabPanel, Tabs } from "@/components/ui/tabs";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";
import { RuleFields } from "./rule-fields";
import { bodyOf, bodyOfRule, formFieldOf, type Rule, type RuleBody, type RuleForm, ruleFormOf } from "./rule-form";

const RuleTester = dynamic(() => import("./rule-tester").then((module) => module.RuleTester), { loading: () => null });
const WhatIfPanel = dynamic(() => import("./what-if-panel").then((module) => module.WhatIfPanel), {
  loading: () => null,
});

const FORM = "rule-form";

interface Props {
  /** Absent for a new one; without an id it is the pattern for a new one. */
  rule?: Partial<Rule>;
  /** All that are there, in their order. */
  rules: Rule[];
  mayEdit: boolean;
  onClose: () => void;
}

/** Makes a rule or changes one; it can be tried on alerts and on the last days before it is saved. */
export function RuleEditor({ rule, rules, mayEdit, onClose }: Props) {
  const t = useTranslations("rules");
  const isLocked = !mayEdit || Boolean(rule?.provisioned);
  const [tab, setTab] = useState("form");
  const [visited, setVisited] = useState<readonly string[]>([]);
  const visit = (next: string) => {
    setTab(next);
    setVisited([...visited, next]);
  };
  const form = useForm<RuleForm>({ defaultValues: ruleFormOf(rule) });
  const { save, isPending, error } = useSave(rule?.id, onClose);
  const submit = form.handleSubmit(
    (values) =>
      save(bodyOf(values)).catch((failure: unknown) => {
        setTab("form");
        const refused = refusedField(failure);
        const field = refused && formFieldOf(refused.field, values);
        if (refused && field) form.setError(field as keyof RuleForm, { message: refused.why }, { shouldFocus: true });
      }),
    () => setTab("form"),
  );
  const buttons = (leave: () => void) => (
    <>
      <Button onClick={leave}>{isLocked ? t("editor.close") : t("editor.cancel")}</Button>
      {!isLocked && (
        <Button variant="primary" type="submit" form={FORM} isBusy={isPending}>
          {rule?.id === undefined ? t("editor.create") : t("editor.save")}
        </Button>
      )}
    </>
  );
  return (
    <FormProvider {...form}>
      <EditorDrawer
        title={rule?.id === undefined ? t("new") : <bdi>{rule.name}</bdi>}
        isDirty={form.formState.isDirty}
        onClose={onClose}
        footer={buttons}
      >
        <Tabs value={tab} onValueChange={visit}>
          <TabList>
            <Tab value="form">{t("editor.tabs.form")}</Tab>
            <Tab value="test">{t("editor.tabs.test")}</Tab>
            {mayEdit && <Tab value="whatIf">{t("editor.tabs.whatIf")}</Tab>}
          </TabList>
          <TabPanel value="form" {...keptIf(true)}>
            <form id={FORM} onSubmit={submit} noValidate className="grid gap-6">
              {rule?.provisioned && <ProvisionedNote />}
              {error !== null && <ErrorState error={error} isInline />}
              <fieldset disabled={isLocked} className="contents">
                <RuleFields />
              </fieldset>
            </form>
          </TabPanel>
          <TabPanel value="test" {...keptIf(visited.includes("test"))}>
            <WithDraft rule={rule} rules={rules}>
              {(draft) => <RuleTester rules={draft} />}
            </WithDraft>
          </TabPanel>
          {mayEdit && (
            <TabPanel value="whatIf" {...keptIf(visited.includes("whatIf"))}>
              <WithDraft rule={rule} rules={rules}>
                {(draft) => <WhatIfPanel rules={draft} />}
              </WithDraft>
            </TabPanel>
          )}
        </Tabs>
      </EditorDrawer>
    </FormProvider>
  );
}

/** What was typed or found in a tab is still there when one comes back to it. */
const keptIf = (isVisited: boolean) =>
  isVisited ? ({ forceMount: true, className: "data-[state=inactive]:hidden" } as const) : {};

/** The rules as they would be with what stands in the form. */
function WithDraft({
  rule,
  rules,
  children,
}: Pick<Props, "rule" | "rules"> & { children: (draft: RuleBody[]) => ReactNode }) {
  const t = useTranslations("rules");
  const values = useWatch<RuleForm>() as RuleForm;
  const own = bodyOf(values);
  const named = { ...own, name: own.name || t("editor.unnamed") };
  const draft = rules.map((each) => (each.id === rule?.id ? named : bodyOfRule(each)));
  return children(rule?.id === undefined ? [...draft, named] : draft);
}

function useSave(id: number | undefined, onDone: () => void) {
  const t = useTranslations("rules");
  const cache = useQueryClient();
  const create = api.useMutation("post", "/api/v1/rules");
  const update = api.useMutation("put", "/api/v1/rules/{id}");
  const save = async (body: RuleBody) => {
    if (id === undefined) await create.mutateAsync({ body });
    else await update.mutateAsync({ body, params: { path: { id } } });
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/rules"] });
    toast(id === undefined ? t("editor.created") : t("editor.saved"));
    onDone();
  };
  return { save, isPending: create.isPending || update.isPending, error: create.error ?? update.error };
}
