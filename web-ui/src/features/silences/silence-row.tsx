"use client";

import { CircleStop, Hourglass, RotateCcw } from "lucide-react";
import { useFormatter, useTranslations } from "use-intl";
import { EditMatch, MatchNote, MatchRow, RemoveMatch } from "@/components/match/match-row";
import { Button } from "@/components/ui/button";
import { RelativeTime } from "@/components/ui/time";
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
  const { match, comment, active, created_by: by } = silence;
  const end = api.useMutation("delete", "/api/v1/silences/{id}");
  return (
    <MatchRow
      match={match}
      note={<MatchNote comment={comment} by={by && t.rich("by", { who: () => <bdi>{by}</bdi> })} />}
      hidden={silence.hidden}
      time={<End silence={silence} />}
      provisioned={silence.provisioned}
    >
      {mayEdit && !active && (
        <Button size="sm" onClick={() => onEdit({ match, comment })}>
          <RotateCcw aria-hidden />
          {t("again")}
        </Button>
      )}
      {mayEdit && active && !silence.provisioned && (
        <>
          <EditMatch label={t("edit")} onEdit={() => onEdit({ match, comment, silence })} />
          <RemoveMatch
            match={match}
            icon={CircleStop}
            words={{ action: t("end.action"), title: t("end.title"), text: t("end.text"), done: t("end.done") }}
            path="/api/v1/silences"
            onRemove={() => end.mutateAsync({ params: { path: { id: silence.id } } })}
          />
        </>
      )}
    </MatchRow>
  );
}

/** When it ends or ended, from now and on the clock. */
function End({ silence: { active, expires_at: at } }: { silence: Silence }) {
  const t = useTranslations("silences");
  const format = useFormatter();
  const time = () => <RelativeTime at={at} mayBeAhead />;
  return (
    <div className="flex items-center gap-2 text-sm">
      <Hourglass className={active ? "size-4 text-accent" : "size-4 text-muted"} aria-hidden />
      <div>
        <p className="font-medium">{active ? t.rich("ends", { time }) : t.rich("ended", { time })}</p>
        <p className="text-muted tabular-nums">
          {format.dateTime(new Date(at), { dateStyle: "medium", timeStyle: "short" })}
        </p>
      </div>
    </div>
  );
}
