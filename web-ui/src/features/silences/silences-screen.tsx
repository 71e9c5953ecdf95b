"use client";

import { Clock, VolumeX } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { ANYTHING, type Match, TEXT_CONDITIONS } from "@/components/match/match-form";
import { CreateButton, ListScreen } from "@/components/ui/list-screen";
import { RowList } from "@/components/ui/row-list";
import { Tab, TabList, TabPanel, Tabs } from "@/components/ui/tabs";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { useShortcuts } from "@/lib/shortcuts";
import { useUrlState } from "@/lib/use-url-state";
import type { Draft, Silence } from "./silence-editor";
import { SilenceRow } from "./silence-row";

// The form is fetched when it is first opened.
const SilenceEditor = dynamic(() => import("./silence-editor").then((module) => module.SilenceEditor), {
  loading: () => null,
});

/** How often it is counted anew what they hid. */
const HIDDEN_MS = 15_000;

const VIEWS = ["active", "expired"] as const;

/** All silences. `?new=1&system=db1` opens the form for a new one with conditions in it. */
export function SilencesScreen() {
  const t = useTranslations("silences");
  const { mayEdit } = useSession();
  const [params, change] = useUrlState();
  const silences = api.useQuery("get", "/api/v1/silences", {}, { refetchInterval: HIDDEN_MS });
  const [draft, setDraft] = useState<Draft | undefined>(() =>
    params.get("new") ? { match: matchIn(params), comment: params.get("comment") ?? "" } : undefined,
  );
  const begin = () => setDraft({ match: ANYTHING });
  const close = () => {
    setDraft(undefined);
    change(Object.fromEntries(["new", "comment", "severity", ...TEXT_CONDITIONS].map((name) => [name, undefined])));
  };
  useShortcuts(mayEdit ? [{ keys: "n", label: t("new"), run: begin }] : []);
  return (
    <>
      <ListScreen
        title={t("title")}
        description={t("description")}
        create={mayEdit && <CreateButton onClick={begin}>{t("new")}</CreateButton>}
        query={silences}
        icon={VolumeX}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
      >
        {(items) => <SilenceTabs silences={items} mayEdit={mayEdit} onEdit={setDraft} />}
      </ListScreen>
      {draft && mayEdit && <SilenceEditor draft={draft} onClose={close} />}
    </>
  );
}

/** The conditions that a link brings. */
function matchIn(params: URLSearchParams): Match {
  const match: Match = { ...ANYTHING };
  for (const name of TEXT_CONDITIONS) {
    const glob = params.get(name);
    if (glob) match[name] = glob;
  }
  return match;
}

function SilenceTabs({
  silences,
  mayEdit,
  onEdit,
}: {
  silences: Silence[];
  mayEdit: boolean;
  onEdit: (draft: Draft) => void;
}) {
  const t = useTranslations("silences");
  const [params, change] = useUrlState();
  const shown = VIEWS.find((view) => view === params.get("show")) ?? "active";
  const ofView = {
    active: silences.filter(({ active }) => active).sort((a, b) => a.expires_at.localeCompare(b.expires_at)),
    expired: silences.filter(({ active }) => !active).sort((a, b) => b.expires_at.localeCompare(a.expires_at)),
  };
  return (
    <Tabs value={shown} onValueChange={(view) => change({ show: view === "active" ? undefined : view })}>
      <TabList>
        {VIEWS.map((view) => (
          <Tab key={view} value={view}>
            {t(`views.${view}`, { count: ofView[view].length })}
          </Tab>
        ))}
      </TabList>
      {VIEWS.map((view) => (
        <TabPanel key={view} value={view}>
          {ofView[view].length === 0 ? (
            <p className="flex items-center gap-2 rounded-lg border border-dashed px-4 py-8 text-muted">
              <Clock className="size-4 shrink-0" aria-hidden />
              {t(`none.${view}`)}
            </p>
          ) : (
            <RowList>
              {ofView[view].map((silence) => (
                <SilenceRow key={silence.id} silence={silence} mayEdit={mayEdit} onEdit={onEdit} />
              ))}
            </RowList>
          )}
        </TabPanel>
      ))}
    </Tabs>
  );
}
