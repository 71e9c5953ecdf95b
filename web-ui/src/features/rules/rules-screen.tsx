"use client";

import { FlaskConical, Plus, Split } from "lucide-react";
import dynamic from "next/dynamic";
import { type ReactNode, Suspense, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Drawer } from "@/components/ui/dialog";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Link } from "@/components/ui/link";
import { Page } from "@/components/ui/page";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { useShortcuts } from "@/lib/shortcuts";
import { useUrlState } from "@/lib/use-url-state";
import { useChannels } from "./channel-names";
import { DefaultChannels } from "./default-channels";
import type { Rule } from "./rule-form";

const loadList = () => import("./rule-list").then((module) => module.RuleList);
// Waited for together with what stands below it, which else would jump away from under the pointer.
const RuleList = dynamic(loadList);
// It comes while it is still asked which rules there are. What fails here is said where the list is drawn.
if (typeof window !== "undefined") loadList().catch(() => {});
// Fetched when they are first opened.
const RuleEditor = dynamic(() => import("./rule-editor").then((module) => module.RuleEditor), { loading: () => null });
const RuleTester = dynamic(() => import("./rule-tester").then((module) => module.RuleTester), { loading: () => null });

/** All rules. `?id=7` opens one of them, `?test=evt_…` says where that event goes. */
export function RulesScreen() {
  const t = useTranslations("rules");
  const { mayEdit } = useSession();
  const [params, change] = useUrlState();
  const { data, error, refetch } = api.useQuery("get", "/api/v1/rules");
  const [pattern, setPattern] = useState<Partial<Rule>>();
  const rules = data?.items;
  const opened = rules?.find(({ id }) => String(id) === params.get("id"));
  const tested = params.get("test");
  const begin = () => setPattern({});
  const openTester = () => change({ test: "1" });
  const close = () => {
    setPattern(undefined);
    change({ id: undefined });
  };
  useShortcuts([
    ...(mayEdit ? [{ keys: "n", label: t("new"), run: begin }] : []),
    { keys: "t", label: t("tester.open"), run: openTester },
  ]);

  const create = mayEdit && (
    <Button variant="primary" onClick={begin}>
      <Plus aria-hidden />
      {t("new")}
    </Button>
  );
  const actions = (
    <>
      <Button onClick={openTester}>
        <FlaskConical aria-hidden />
        {t("tester.open")}
      </Button>
      {rules && rules.length > 0 && create}
    </>
  );
  return (
    <Page title={t("title")} description={t("description")} actions={actions}>
      {!rules && error ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : !rules ? (
        <SkeletonRows count={5} />
      ) : (
        <Suspense fallback={<SkeletonRows count={5} />}>
          {rules.length === 0 ? (
            <NoRules>{create}</NoRules>
          ) : (
            <RuleList
              rules={rules}
              mayEdit={mayEdit}
              onEdit={({ id }) => change({ id: String(id) })}
              onCopy={({ id: _, provisioned: __, ...rule }) =>
                setPattern({ ...rule, name: t("copyOf", { name: rule.name }).slice(0, 64) })
              }
            />
          )}
          <DefaultChannels mayEdit={mayEdit} />
        </Suspense>
      )}
      {rules && (pattern ?? opened) && (
        <RuleEditor key={opened?.id} rule={pattern ?? opened} rules={rules} mayEdit={mayEdit} onClose={close} />
      )}
      <Drawer
        open={tested !== null}
        onOpenChange={(isOpen) => !isOpen && change({ test: undefined })}
        title={t("tester.title")}
        description={t("tester.description")}
      >
        <RuleTester event={tested?.startsWith("evt_") ? tested : undefined} />
      </Drawer>
    </Page>
  );
}

function NoRules({ children }: { children: ReactNode }) {
  const t = useTranslations("rules");
  const { channels } = useChannels();
  const toChannels = (
    <Button asChild variant="primary">
      <Link href="/channels/">{t("empty.action")}</Link>
    </Button>
  );
  return (
    <EmptyState icon={Split} title={t("empty.title")} action={channels?.length === 0 ? toChannels : children}>
      {t("empty.text")}
    </EmptyState>
  );
}
