"use client";

import { BellOff, Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { ANYTHING } from "@/components/match/match-form";
import { EditMatch, MatchNote, MatchRow, RemoveMatch } from "@/components/match/match-row";
import { CreateButton, ListScreen } from "@/components/ui/list-screen";
import { RowList } from "@/components/ui/row-list";
import { RelativeTime } from "@/components/ui/time";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { useShortcuts } from "@/lib/shortcuts";
import { useUrlState } from "@/lib/use-url-state";
import type { Mute } from "./mute-editor";

// The form is fetched when it is first opened.
const MuteEditor = dynamic(() => import("./mute-editor").then((module) => module.MuteEditor), { loading: () => null });

/** How often it is counted anew what they hid. */
const HIDDEN_MS = 15_000;

/** All mutes. `?new=1&from=noreply@*` opens the form for a new one with conditions in it. */
export function MutesScreen() {
  const t = useTranslations("mutes");
  const { mayEdit } = useSession();
  const [params, change] = useUrlState();
  const mutes = api.useQuery("get", "/api/v1/mutes", {}, { refetchInterval: HIDDEN_MS });
  const [edited, setEdited] = useState<Partial<Mute> | undefined>(() =>
    params.get("new") ? { from: params.get("from"), source: params.get("source") } : undefined,
  );
  const begin = () => setEdited({});
  const close = () => {
    setEdited(undefined);
    change({ new: undefined, from: undefined, source: undefined });
  };
  useShortcuts(mayEdit ? [{ keys: "n", label: t("new"), run: begin }] : []);
  return (
    <>
      <ListScreen
        title={t("title")}
        description={t("description")}
        create={mayEdit && <CreateButton onClick={begin}>{t("new")}</CreateButton>}
        query={mutes}
        icon={BellOff}
        empty={{ title: t("empty.title"), text: t("empty.text") }}
      >
        {(items) => (
          <RowList>
            {items.map((mute) => (
              <MuteRow key={mute.id} mute={mute} mayEdit={mayEdit} onEdit={() => setEdited(mute)} />
            ))}
          </RowList>
        )}
      </ListScreen>
      {edited && mayEdit && <MuteEditor mute={edited} onClose={close} />}
    </>
  );
}

function MuteRow({ mute, mayEdit, onEdit }: { mute: Mute; mayEdit: boolean; onEdit: () => void }) {
  const t = useTranslations("mutes");
  const match = { ...ANYTHING, from: mute.from ?? null, source: mute.source ?? null };
  const remove = api.useMutation("delete", "/api/v1/mutes/{id}");
  const time = (
    <p className="text-muted text-sm">
      {t.rich("since", { time: () => <RelativeTime at={mute.created_at} /> })}
      <span className="block font-medium text-ink">{t("noEnd")}</span>
    </p>
  );
  return (
    <MatchRow
      match={match}
      note={<MatchNote comment={mute.comment} by={mute.created_by && <bdi>{mute.created_by}</bdi>} />}
      hidden={mute.hidden}
      time={time}
      provisioned={mute.provisioned}
    >
      {mayEdit && !mute.provisioned && (
        <>
          <EditMatch label={t("edit")} onEdit={onEdit} />
          <RemoveMatch
            match={match}
            icon={Trash2}
            words={{
              action: t("remove.action"),
              title: t("remove.title"),
              text: t("remove.text"),
              done: t("remove.done"),
            }}
            path="/api/v1/mutes"
            onRemove={() => remove.mutateAsync({ params: { path: { id: mute.id } } })}
          />
        </>
      )}
    </MatchRow>
  );
}
