"use client";

import dynamic from "next/dynamic";
import { useTranslations } from "use-intl";
import { Page } from "@/components/ui/page";
import { SkeletonRows } from "@/components/ui/skeleton";
import { Tab, TabList, TabPanel, Tabs } from "@/components/ui/tabs";
import { useSession } from "@/lib/session";
import { useUrlState } from "@/lib/use-url-state";

// Each is fetched when it is first looked at.
const loading = () => <SkeletonRows count={3} />;
const PeoplePanel = dynamic(() => import("./people-panel").then((module) => module.PeoplePanel), { loading });
const InvitesPanel = dynamic(() => import("./invites-panel").then((module) => module.InvitesPanel), { loading });
const TokensPanel = dynamic(() => import("./tokens-panel").then((module) => module.TokensPanel), { loading });

/** Who belongs here, who is invited, and the tokens of scripts. Only owners see the first two. */
export function TeamScreen() {
  const t = useTranslations("team");
  const { isOwner } = useSession();
  const [params, change] = useUrlState();
  const tabs = isOwner ? (["people", "invites", "tokens"] as const) : (["tokens"] as const);
  const tab = tabs.find((each) => each === params.get("tab")) ?? tabs[0];
  return (
    <Page title={t("title")} description={isOwner ? t("description") : t("onlyTokens")}>
      <Tabs value={tab} onValueChange={(next) => change({ tab: next })}>
        <TabList aria-label={t("title")}>
          {tabs.map((each) => (
            <Tab key={each} value={each}>
              {t(`tabs.${each}`)}
            </Tab>
          ))}
        </TabList>
        {isOwner && (
          <>
            <TabPanel value="people">
              <PeoplePanel onInvite={() => change({ tab: "invites" })} />
            </TabPanel>
            <TabPanel value="invites">
              <InvitesPanel />
            </TabPanel>
          </>
        )}
        <TabPanel value="tokens">
          <TokensPanel />
        </TabPanel>
      </Tabs>
    </Page>
  );
}
