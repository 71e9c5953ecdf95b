"use client";

import { ArchiveX, RotateCw, SearchX } from "lucide-react";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/confirm";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Link } from "@/components/ui/link";
import { LoadMore } from "@/components/ui/load-more";
import { Page } from "@/components/ui/page";
import { Select } from "@/components/ui/select";
import { SkeletonRows } from "@/components/ui/skeleton";
import { api } from "@/lib/api/client";
import { useLiveRefresh } from "@/lib/api/live";
import { useSession } from "@/lib/session";
import { useUrlState } from "@/lib/use-url-state";
import { DeadLetterDrawer } from "./dead-letter-drawer";
import { DeadLetterTable } from "./dead-letter-table";
import { ReplayPanel } from "./replay-panel";
import { useReplay } from "./use-replay";

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
  const query = api.useInfiniteQuery(
    "get",
    "/api/v1/dead-letters",
    { params: { query: { ...filter, limit: 100 } } },
    { initialPageParam: null, getNextPageParam: (page) => page.next_cursor },
  );
  useLiveRefresh("/api/v1/dead-letters", "/api/v1/queues");
  const depths = api.useQuery("get", "/api/v1/queues").data;
  const letters = query.data?.pages.flatMap((page) => page.items);
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
        <Filters queue={queue} channel={channel} isFiltered={isFiltered} onChange={change} onClear={clear} />
      )}
      {query.error && !letters ? (
        <ErrorState error={query.error} onRetry={query.refetch} />
      ) : !letters ? (
        <SkeletonRows />
      ) : letters.length === 0 ? (
        <Nothing isFiltered={isFiltered} onClear={clear} />
      ) : (
        <>
          <DeadLetterTable
            letters={letters}
            selected={selected}
            actions={mayEdit ? { onSelect: setChosen, onReplay: replayOne, isBusy } : undefined}
            onOpen={(id) => change({ id })}
          />
          <LoadMore
            shown={letters.length}
            hasMore={query.hasNextPage}
            isLoading={query.isFetchingNextPage}
            onMore={() => void query.fetchNextPage()}
          />
        </>
      )}
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

function useChannels() {
  return api.useQuery("get", "/api/v1/channels").data?.items ?? [];
}

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
  const name = useChannels().find(({ id }) => id === channel)?.name ?? String(channel);
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

function Filters({
  queue,
  channel,
  isFiltered,
  onChange,
  onClear,
}: Filter & {
  isFiltered: boolean;
  onChange: (changes: Record<string, string | undefined>) => void;
  onClear: () => void;
}) {
  const t = useTranslations("dead-letters");
  const channels = useChannels();
  const pick = (name: string) => (value: string) => onChange({ [name]: value === "all" ? undefined : value });
  return (
    <div className="mb-4 flex flex-wrap gap-2">
      <Select
        aria-label={t("filters.queue")}
        className="w-44"
        value={queue ?? "all"}
        onValueChange={pick("queue")}
        options={[
          { value: "all", label: t("filters.allQueues") },
          ...QUEUES.map((each) => ({ value: each, label: t(`queues.${each}`) })),
        ]}
      />
      <Select
        aria-label={t("filters.channel")}
        className="w-44"
        value={channel ? String(channel) : "all"}
        onValueChange={pick("channel")}
        options={[
          { value: "all", label: t("filters.allChannels") },
          ...channels.map(({ id, name }) => ({ value: String(id), label: <bdi>{name}</bdi> })),
        ]}
      />
      {isFiltered && (
        <Button variant="ghost" onClick={onClear}>
          {t("filters.clear")}
        </Button>
      )}
    </div>
  );
}

function Nothing({ isFiltered, onClear }: { isFiltered: boolean; onClear: () => void }) {
  const t = useTranslations("dead-letters");
  if (isFiltered) {
    return (
      <EmptyState
        icon={SearchX}
        title={t("nothing.title")}
        action={<Button onClick={onClear}>{t("filters.clear")}</Button>}
      >
        {t("nothing.text")}
      </EmptyState>
    );
  }
  const action = (
    <Button asChild variant="primary">
      <Link href="/deliveries/">{t("empty.action")}</Link>
    </Button>
  );
  return (
    <EmptyState icon={ArchiveX} title={t("empty.title")} action={action}>
      {t("empty.text")}
    </EmptyState>
  );
}
