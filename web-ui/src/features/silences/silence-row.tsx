"use client";

import { useQueryClient } from "@tanstack/react-query";
import { Hourglass, Pencil, RotateCcw, Square } from "lucide-react";
import { useFormatter, useTranslations } from "use-intl";
import { HiddenNote } from "@/components/match/hidden-note";
import { MatchSummary } from "@/components/match/match-summary";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/confirm";
import { ProvisionedMark } from "@/components/ui/provisioned";
import { RelativeTime } from "@/components/ui/time";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import type { Draft, Silence } from "./silence-editor";

/** A silence: what it hits, why, and until when. */
export function SilenceRow({
  silence,
  mayEdit,
  onEdit,
}: {
  silence: Silence;
  mayEdit: boolean;
  onEdit: (draft: Draft) => void;
}) {
  const t = useTranslations("silences");
  const format = useFormatter();
  const { match, comment, active, expires_at: end } = silence;
  const edit = () => onEdit({ match, comment, silence });
  const time = () => <RelativeTime at={end} mayBeAhead />;
  const again = () => onEdit({ match, comment });
  return (
    <li className="flex flex-wrap items-center gap-x-6 gap-y-2 px-4 py-3">
      <div className="grid min-w-0 flex-1 basis-72 gap-1">
        <MatchSummary match={match} />
        <p className="text-muted text-sm">
          {comment && <bdi className="text-ink">{comment}</bdi>}
          {comment && silence.created_by && " · "}
          {silence.created_by && t.rich("by", { who: () => <bdi>{silence.created_by}</bdi> })}
        </p>
        <HiddenNote hidden={silence.hidden} />
      </div>
      <div className="flex items-center gap-2 text-sm">
        <Hourglass className={active ? "size-4 text-accent" : "size-4 text-muted"} aria-hidden />
        <div>
          <p className="font-medium">{active ? t.rich("ends", { time }) : t.rich("ended", { time })}</p>
          <p className="text-muted tabular-nums">
            {format.dateTime(new Date(end), { dateStyle: "medium", timeStyle: "short" })}
          </p>
        </div>
      </div>
      <div className="flex min-w-24 items-center justify-end gap-1">
        {silence.provisioned && <ProvisionedMark />}
        {mayEdit && !active && (
          <Button size="sm" onClick={again}>
            <RotateCcw aria-hidden />
            {t("again")}
          </Button>
        )}
        {mayEdit && active && !silence.provisioned && (
          <>
            <Button variant="ghost" size="icon" aria-label={t("edit")} onClick={edit}>
              <Pencil aria-hidden />
            </Button>
            <EndSilence silence={silence} />
          </>
        )}
      </div>
    </li>
  );
}

function EndSilence({ silence }: { silence: Silence }) {
  const t = useTranslations("silences");
  const cache = useQueryClient();
  const end = api.useMutation("delete", "/api/v1/silences/{id}");
  const confirm = async () => {
    await end.mutateAsync({ params: { path: { id: silence.id } } });
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/silences"] });
    toast(t("end.done"));
  };
  const trigger = (
    <Button variant="ghost" size="icon" aria-label={t("end.action")}>
      <Square aria-hidden />
    </Button>
  );
  return (
    <Confirm trigger={trigger} title={t("end.title")} action={t("end.action")} onConfirm={confirm}>
      <div className="grid gap-2">
        <MatchSummary match={silence.match} />
        <p>{t("end.text")}</p>
      </div>
    </Confirm>
  );
}
