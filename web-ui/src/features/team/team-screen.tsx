"use client";

import { useTranslations } from "use-intl";
import { Page } from "@/components/ui/page";
import { Tab, TabList, TabPanel, Tabs } from "@/components/ui/tabs";
import { useSession } from "@/lib/session";
import { useUrlState } from "@/lib/use-url-state";
import { InvitesPanel } from "./invites-panel";
import { PeoplePanel } from "./people-panel";
import { TokensPanel } from "./tokens-panel";

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
