"use client";

import { ArchiveX, RotateCw } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { ChannelFilter, ClearFilters, FilterSelect } from "@/components/ui/filters";
import { Link } from "@/components/ui/link";
import { LoadPages } from "@/components/ui/load";
import { NothingMatches } from "@/components/ui/nothing-matches";
import { Page } from "@/components/ui/page";
import { api } from "@/lib/api/client";
import { useLiveRefresh } from "@/lib/api/live";
import { usePages } from "@/lib/api/pages";
import { useSession } from "@/lib/session";
import { useUrlState } from "@/lib/use-url-state";
import { Causes } from "./causes";
import { DeadLetterTable } from "./dead-letter-table";
import { type Filter, ReplayConfirm } from "./replay-confirm";
import { ReplayPanel } from "./replay-panel";
import { useReplay } from "./use-replay";

// Fetched when first opened.
const DeadLetterDrawer = dynamic(() => import("./dead-letter-drawer").then((module) => module.DeadLetterDrawer), {
  loading: () => null,
});

const QUEUES = ["intake", "route", "deliver", "enrich", "history"] as const;
const NONE: ReadonlySet<string> = new Set();

/** What gave up, and how it is sent on its way again: one, some or all. */
export function DeadLettersScreen() {
  const t = useTranslations("dead-letters");
  const { mayEdit } = useSession();
  const [params, change] = useUrlState();
  const [chosen, setChosen] = useState(NONE);
  const [failure, setFailure] = useState<unknown>();
  const { replay, some, all, stop } = useReplay();

  const queue = QUEUES.find((each) => each === params.get("queue"));
  const channel = Number(params.get("channel")) || undefined;
  const cause = params.get("cause") ?? undefined;
  const filter: Filter = { queue, channel, cause };
  const pages = usePages("/api/v1/dead-letters", { ...filter, limit: 100 });
  useLiveRefresh("/api/v1/dead-letters", "/api/v1/dead-letters/causes", "/api/v1/queues");
  const depths = api.useQuery("get", "/api/v1/queues").data;
  const causes = api.useQuery("get", "/api/v1/dead-letters/causes").data;
  const letters = pages.items;
  // What was replayed meanwhile is not selected any more.
  const selected = new Set(letters?.flatMap(({ id }) => (chosen.has(id) ? [id] : [])));
  const isFiltered = Boolean(queue || channel || cause);
  const opened = params.get("id");
  const narrow = ({ queue, channel, cause }: Filter = {}) => change({ queue, channel: channel?.toString(), cause });
  const clear = () => narrow();

  const guard = (work: Promise<void>) => {
    setFailure(undefined);
    setChosen(NONE);
    return work.catch(setFailure);
  };
  const replayOne = (id: string) => {
    change({ id: undefined });
    void guard(some([id]));
  };
  const replayAll = async (which: Filter, count: number) => void guard(all(which, count));
  const counted = causes?.items.find((each) => each.cause === cause && (each.channel ?? undefined) === channel)?.count;
  const most = counted ?? Math.max(letters?.length ?? 0, depths?.dead ?? 0);
  const isBusy = replay?.isRunning ?? false;

  const actions = mayEdit && letters && letters.length > 0 && (
    <>
      {selected.size > 0 && (
        <Button disabled={isBusy} onClick={() => void guard(some([...selected]))}>
          <RotateCw aria-hidden />
          {t("replaySome", { count: selected.size })}
        </Button>
      )}
      <ReplayAll filter={filter} isBusy={isBusy} onConfirm={() => replayAll(filter, most)} />
    </>
  );

  return (
    <Page title={t("title")} description={t("description")} actions={actions}>
      {replay && <ReplayPanel replay={replay} onStop={stop} />}
      {failure !== undefined && (
        <div className="mb-4">
          <ErrorState error={failure} isInline />
        </div>
      )}
      {causes && causes.items.length > 0 && (
        <Causes
          causes={causes}
          chosen={filter}
          onChoose={narrow}
          onReplay={mayEdit ? replayAll : undefined}
          isBusy={isBusy}
        />
      )}
      {(isFiltered || (letters && letters.length > 0)) && (
        <div className="mb-4 flex flex-wrap gap-2">
          <FilterSelect
            label={t("filters.queue")}
            all={t("filters.allQueues")}
            options={QUEUES.map((each) => ({ value: each, label: t(`queues.${each}`) }))}
            value={queue}
            onChange={(chosen) => change({ queue: chosen })}
          />
          <ChannelFilter value={params.get("channel") ?? undefined} onChange={(id) => change({ channel: id })} />
          {isFiltered && <ClearFilters onClear={clear} />}
        </div>
      )}
      <LoadPages pages={pages} nothing={isFiltered ? <NothingMatches onClear={clear} /> : <NoneDied />}>
        {(loaded) => (
          <DeadLetterTable
            letters={loaded}
            isWhole={!pages.hasNextPage}
            selected={selected}
            actions={mayEdit ? { onSelect: setChosen, onReplay: replayOne, isBusy } : undefined}
            onOpen={(id) => change({ id })}
          />
        )}
      </LoadPages>
      {opened && (
        <DeadLetterDrawer
          id={opened}
          onReplay={mayEdit ? replayOne : undefined}
          onClose={() => change({ id: undefined })}
        />
      )}
    </Page>
  );
}

function ReplayAll(props: { filter: Filter; isBusy: boolean; onConfirm: () => Promise<void> }) {
  const t = useTranslations("dead-letters");
  const { filter, isBusy, onConfirm } = props;
  const isFiltered = Object.values(filter).some(Boolean);
  const action = isFiltered ? t("replayMatching") : t("replayAll");
  const trigger = (
    <Button variant="primary" disabled={isBusy}>
      <RotateCw aria-hidden />
      {action}
    </Button>
  );
  const title = isFiltered ? t("confirm.matching") : t("confirm.title");
  return <ReplayConfirm {...{ filter, title, action, trigger, onConfirm }} />;
}

function NoneDied() {
  const t = useTranslations("dead-letters.empty");
  const action = (
    <Button asChild variant="primary">
      <Link href="/deliveries/">{t("action")}</Link>
    </Button>
  );
  return (
    <EmptyState icon={ArchiveX} title={t("title")} action={action}>
      {t("text")}
    </EmptyState>
  );
}
