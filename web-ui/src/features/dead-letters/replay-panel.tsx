"use client";

import { CircleCheck, CircleSlash } from "lucide-react";
import { useTranslations } from "use-intl";
import { Link } from "@/components/ui/link";
import { Progress } from "@/components/ui/progress";
import { api } from "@/lib/api/client";
import { useLiveRefresh } from "@/lib/api/live";
import type { Replay } from "./use-replay";

/** A replay under way, with a way to stop it; then what came of it, as it comes. */
export function ReplayPanel({ replay, onStop }: { replay: Replay; onStop: () => void }) {
  const t = useTranslations("dead-letters");
  const done = replay.replayed + replay.skipped;
  return (
    <div role="status" className="mb-4 rounded-lg border bg-surface p-4">
      {replay.isRunning ? (
        <Progress label={t("running")} done={done} total={Math.max(replay.total, done)} onStop={onStop} />
      ) : (
        <Outcome replay={replay} />
      )}
    </div>
  );
}

/** More than this are not counted, only linked; the words for as many say "at least". */
const COUNTED_MAX = 200;

function Outcome({ replay: { startedAt, replayed, skipped, isStopped } }: { replay: Replay }) {
  const t = useTranslations("dead-letters.outcome");
  const since = (state: string) => ({ params: { query: { state, since: startedAt, limit: COUNTED_MAX } } });
  const arrived = api.useQuery("get", "/api/v1/deliveries", since("delivered")).data?.items.length ?? 0;
  const died = api.useQuery("get", "/api/v1/deliveries", since("dead")).data?.items.length ?? 0;
  useLiveRefresh("/api/v1/deliveries");
  const Icon = isStopped ? CircleSlash : CircleCheck;
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1">
      <Icon className={isStopped ? "size-4 text-warning" : "size-4 text-success"} aria-hidden />
      <span className="font-medium">{isStopped ? t("stopped", { replayed }) : t("done", { replayed })}</span>
      <span className="text-muted">
        {skipped > 0 && `${t("skipped", { count: skipped })} `}
        {arrived > 0 && `${t("arrived", { count: arrived })} `}
        {died > 0 && t("died", { count: died })}
      </span>
      <Link href={`/deliveries/?since=${startedAt}`} className="ms-auto font-medium text-accent hover:underline">
        {t("follow")}
      </Link>
    </div>
  );
}
