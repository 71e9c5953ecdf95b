"use client";

import { ShieldAlert } from "lucide-react";
import dynamic from "next/dynamic";
import { useTranslations } from "use-intl";
import { ErrorState } from "@/components/ui/error-state";
import { Page } from "@/components/ui/page";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Tab, TabList, TabPanel, Tabs } from "@/components/ui/tabs";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { useUrlState } from "@/lib/use-url-state";

// Each is fetched when it is first looked at.
const loading = () => <SkeletonRows count={4} />;
const Bindings = dynamic(() => import("./bindings").then((module) => module.Bindings), { loading });
const Interceptions = dynamic(() => import("./interceptions").then((module) => module.Interceptions), { loading });
const Usage = dynamic(() => import("./usage").then((module) => module.Usage), { loading });
const SettingsForm = dynamic(() => import("./settings-form").then((module) => module.SettingsForm), { loading });
const FirstSteps = dynamic(() => import("./first-steps").then((module) => module.FirstSteps), { loading });

/** What keys and tokens are bound to, who tried them from elsewhere, and how the gateway behaves. */
export function GatewayScreen() {
  const t = useTranslations("gateway");
  const { data, error, refetch } = api.useQuery("get", "/api/v1/gateway");
  return (
    <Page title={t("title")} description={t("description")}>
      {error && !data ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : !data ? (
        <SkeletonRows count={4} />
      ) : !data.running && data.bindings === 0 ? (
        <FirstSteps />
      ) : (
        <>
          {data.single_source && <SingleSource address={data.single_source} />}
          <Panels />
        </>
      )}
    </Page>
  );
}

function Panels() {
  const t = useTranslations("gateway");
  const isAdmin = useSession().data?.platform_admin;
  const [params, change] = useUrlState();
  const tabs = ["bindings", "interceptions", "usage", ...(isAdmin ? (["settings"] as const) : [])] as const;
  const tab = tabs.find((each) => each === params.get("tab")) ?? "bindings";
  // What one tab filters by means something else in the next.
  const open = (next: string) => change({ tab: next, q: undefined, key: undefined, span: undefined });
  return (
    <Tabs value={tab} onValueChange={open}>
      <TabList aria-label={t("title")}>
        {tabs.map((each) => (
          <Tab key={each} value={each}>
            {t(`tabs.${each}`)}
          </Tab>
        ))}
      </TabList>
      <TabPanel value="bindings">
        <Bindings />
      </TabPanel>
      <TabPanel value="interceptions">
        <Interceptions />
      </TabPanel>
      <TabPanel value="usage">
        <Usage />
      </TabPanel>
      {isAdmin && (
        <TabPanel value="settings">
          <SettingsForm />
        </TabPanel>
      )}
    </Tabs>
  );
}

/** The trap of Docker's bridge: it makes every binding worthless, so it is loud. */
function SingleSource({ address }: { address: string }) {
  const t = useTranslations("gateway.trap");
  return (
    <div role="alert" className="mb-6 flex gap-3 rounded-lg border border-critical bg-critical-soft p-4">
      <ShieldAlert className="mt-0.5 size-5 shrink-0 text-critical" aria-hidden />
      <div className="grid gap-1">
        <p className="font-semibold">
          {t.rich("title", { address, code: (words) => <bdi className="font-mono">{words}</bdi> })}
        </p>
        <p>{t("text")}</p>
        <p className="text-sm">{t.rich("advice", { code: (words) => <bdi className="font-mono">{words}</bdi> })}</p>
      </div>
    </div>
  );
}
