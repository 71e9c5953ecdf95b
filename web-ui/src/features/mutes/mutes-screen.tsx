"use client";

import { useQueryClient } from "@tanstack/react-query";
import { BellOff, Pencil, Plus, Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { HiddenNote } from "@/components/match/hidden-note";
import { ANYTHING } from "@/components/match/match-form";
import { MatchSummary } from "@/components/match/match-summary";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/confirm";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Page } from "@/components/ui/page";
import { ProvisionedMark } from "@/components/ui/provisioned";
import { SkeletonRows } from "@/components/ui/skeleton";
import { RelativeTime } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { useSession } from "@/lib/session";
import { useShortcuts } from "@/lib/shortcuts";
import { useUrlState } from "@/lib/use-url-state";
import type { Mute } from "./mute-editor";

// The form is fetched when it is first opened.
const MuteEditor = dynamic(() => import("./mute-editor").then((module) => module.MuteEditor));

/** All mutes. `?new=1&from=noreply@*` opens the form for a new one with conditions in it. */
export function MutesScreen() {
  const t = useTranslations("mutes");
  const { mayEdit } = useSession();
  const [params, change] = useUrlState();
  const { data, error, refetch } = api.useQuery("get", "/api/v1/mutes");
  const [edited, setEdited] = useState<Partial<Mute> | undefined>(() =>
    params.get("new") ? { from: params.get("from"), source: params.get("source") } : undefined,
  );
  const begin = () => setEdited({});
  const close = () => {
    setEdited(undefined);
    change({ new: undefined, from: undefined, source: undefined });
  };
  useShortcuts(mayEdit ? [{ keys: "n", label: t("new"), run: begin }] : []);
  const create = mayEdit && (
    <Button variant="primary" onClick={begin}>
      <Plus aria-hidden />
      {t("new")}
    </Button>
  );
  const mutes = data?.items;
  return (
    <Page title={t("title")} description={t("description")} actions={mutes?.length ? create : undefined}>
      {!mutes && error ? (
        <ErrorState error={error} onRetry={() => void refetch()} />
      ) : !mutes ? (
        <SkeletonRows count={4} />
      ) : mutes.length === 0 ? (
        <EmptyState icon={BellOff} title={t("empty.title")} action={create}>
          {t("empty.text")}
        </EmptyState>
      ) : (
        <ul className="divide-y divide-line rounded-lg border bg-surface">
          {mutes.map((mute) => (
            <MuteRow key={mute.id} mute={mute} mayEdit={mayEdit} onEdit={() => setEdited(mute)} />
          ))}
        </ul>
      )}
      {edited && mayEdit && <MuteEditor mute={edited} onClose={close} />}
    </Page>
  );
}

function MuteRow({ mute, mayEdit, onEdit }: { mute: Mute; mayEdit: boolean; onEdit: () => void }) {
  const t = useTranslations("mutes");
  const { from = null, source = null, comment, created_by: by } = mute;
  return (
    <li className="flex flex-wrap items-center gap-x-6 gap-y-2 px-4 py-3">
      <div className="grid min-w-0 flex-1 basis-64 gap-1">
        <MatchSummary match={{ ...ANYTHING, from, source }} />
        {comment && (
          <p className="text-sm">
            <bdi>{comment}</bdi>
          </p>
        )}
        <HiddenNote hidden={mute.hidden} />
      </div>
      <p className="text-muted text-sm">
        {t.rich("since", { time: () => <RelativeTime at={mute.created_at} /> })}
        {by && " · "}
        {by && <bdi>{by}</bdi>}
        <span className="block font-medium text-ink">{t("noEnd")}</span>
      </p>
      <div className="flex min-w-19 items-center justify-end gap-1">
        {mute.provisioned && <ProvisionedMark />}
        {mayEdit && !mute.provisioned && (
          <>
            <Button variant="ghost" size="icon" aria-label={t("edit")} onClick={onEdit}>
              <Pencil aria-hidden />
            </Button>
            <RemoveMute mute={mute} />
          </>
        )}
      </div>
    </li>
  );
}

function RemoveMute({ mute }: { mute: Mute }) {
  const t = useTranslations("mutes.remove");
  const cache = useQueryClient();
  const remove = api.useMutation("delete", "/api/v1/mutes/{id}");
  const confirm = async () => {
    await remove.mutateAsync({ params: { path: { id: mute.id } } });
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/mutes"] });
    toast(t("done"));
  };
  const trigger = (
    <Button variant="ghost" size="icon" aria-label={t("action")}>
      <Trash2 aria-hidden />
    </Button>
  );
  return (
    <Confirm trigger={trigger} title={t("title")} action={t("action")} onConfirm={confirm}>
      <div className="grid gap-2">
        <MatchSummary match={{ ...ANYTHING, from: mute.from ?? null, source: mute.source ?? null }} />
        <p>{t("text")}</p>
      </div>
    </Confirm>
  );
}
