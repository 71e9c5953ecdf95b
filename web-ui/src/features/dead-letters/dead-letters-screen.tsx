"use client";

import { ArchiveX, RotateCw } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/confirm";
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
import { DeadLetterTable } from "./dead-letter-table";
import { ReplayPanel } from "./replay-panel";
import { useReplay } from "./use-replay";

// Fetched when first opened.
const DeadLetterDrawer = dynamic(() => import("./dead-letter-drawer").then((module) => module.DeadLetterDrawer));

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
  const filter = { queue, channel };
  const pages = usePages("/api/v1/dead-letters", { ...filter, limit: 100 });
  useLiveRefresh("/api/v1/dead-letters", "/api/v1/queues");
  const depths = api.useQuery("get", "/api/v1/queues").data;
  const letters = pages.items;
  // What was replayed meanwhile is not selected any more.
  const selected = new Set(letters?.flatMap(({ id }) => (chosen.has(id) ? [id] : [])));
  const isFiltered = Boolean(queue || channel);
  const opened = params.get("id");
  const clear = () => change({ queue: undefined, channel: undefined });

  const guard = (work: Promise<void>) => {
    setFailure(undefined);
    setChosen(NONE);
    return work.catch(setFailure);
  };
  const replayOne = (id: string) => {
    change({ id: undefined });
    void guard(some([id]));
  };
  const replayAll = async () => void guard(all(filter, Math.max(letters?.length ?? 0, depths?.dead ?? 0)));
  const isBusy = replay?.isRunning ?? false;

  const actions = mayEdit && letters && letters.length > 0 && (
    <>
      {selected.size > 0 && (
        <Button disabled={isBusy} onClick={() => void guard(some([...selected]))}>
          <RotateCw aria-hidden />
          {t("replaySome", { count: selected.size })}
        </Button>
      )}
      <ReplayAll filter={filter} isBusy={isBusy} onConfirm={replayAll} />
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

type Filter = { queue?: (typeof QUEUES)[number]; channel?: number };

function ReplayAll({
  filter: { queue, channel },
  isBusy,
  onConfirm,
}: {
  filter: Filter;
  isBusy: boolean;
  onConfirm: () => Promise<void>;
}) {
  const t = useTranslations("dead-letters");
  const channels = api.useQuery("get", "/api/v1/channels").data?.items;
  const name = channels?.find(({ id }) => id === channel)?.name ?? String(channel);
  const isFiltered = Boolean(queue || channel);
  const action = isFiltered ? t("replayMatching") : t("replayAll");
  return (
    <Confirm
      trigger={
        <Button variant="primary" disabled={isBusy}>
          <RotateCw aria-hidden />
          {action}
        </Button>
      }
      title={isFiltered ? t("confirm.matching") : t("confirm.title")}
      action={action}
      isDangerous={false}
      onConfirm={onConfirm}
    >
      <div className="grid gap-2">
        {queue && <p className="text-ink">{t("confirm.queue", { queue: t(`queues.${queue}`) })}</p>}
        {channel && <p className="text-ink">{t("confirm.channel", { channel: name })}</p>}
        <p>{t("confirm.text")}</p>
        <p>{t("confirm.cancel")}</p>
      </div>
    </Confirm>
  );
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
