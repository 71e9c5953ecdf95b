"use client";

import { Bell, ListFilter } from "lucide-react";
import dynamic from "next/dynamic";
import { type ReactNode, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { ErrorState } from "@/components/ui/error-state";
import { Link } from "@/components/ui/link";
import { NothingMatches } from "@/components/ui/nothing-matches";
import { Page } from "@/components/ui/page";
import { SearchInput } from "@/components/ui/search-input";
import { SkeletonRows } from "@/components/ui/skeleton";
import { useLiveRefresh } from "@/lib/api/live";
import { useSession } from "@/lib/session";
import { useShortcuts } from "@/lib/shortcuts";
import { useUrlState } from "@/lib/use-url-state";
import { FacetPanel, type FacetProps } from "./facet-panel";
import { type Alert, FACETS, type Filter, filterOf } from "./filter";
import { SampleNote, SendSamples } from "./samples";
import { StatusTabs } from "./status-tabs";
import { useActions } from "./use-actions";
import { useAlerts } from "./use-alerts";

// Fetched when first needed.
const AlertDrawer = dynamic(() => import("./detail/alert-drawer").then((module) => module.AlertDrawer), {
  loading: () => null,
});
const SilenceDialog = dynamic(() => import("./silence-dialog").then((module) => module.SilenceDialog), {
  loading: () => null,
});

const loadList = () => import("./alert-list").then((module) => module.AlertList);
const AlertList = dynamic(loadList, { loading: () => <SkeletonRows /> });
// The list itself always is, so it comes while it is still asked who is looking.
if (typeof window !== "undefined") void loadList();
const BulkBar = dynamic(() => import("./bulk-bar").then((module) => module.BulkBar), { loading: () => null });
const Drawer = dynamic(() => import("@/components/ui/dialog").then((module) => module.Drawer), { loading: () => null });
const ViewMenu = dynamic(() => import("./view-menu").then((module) => module.ViewMenu), { ssr: false });

const NONE: ReadonlySet<string> = new Set();
const NO_ALERTS: Alert[] = [];

/** What is wrong, since when, and who knows: a flat live list, worked through by keyboard. */
export function AlertsScreen() {
  const t = useTranslations("alerts");
  const { mayEdit } = useSession();
  const [params, change] = useUrlState();
  const filter = filterOf(params);
  const { alerts, error, refetch, accept, ...list } = useAlerts(filter);
  const actions = useActions(accept);
  useLiveRefresh("/api/v1/facets");
  const [activeId, setActiveId] = useState<string>();
  const [chosen, setChosen] = useState(NONE);
  const [silencing, setSilencing] = useState<Alert>();
  const [isCorrecting, setCorrecting] = useState(false);
  const search = useRef<HTMLInputElement>(null);

  const shown = alerts ?? NO_ALERTS;
  const opened = params.get("id") ?? undefined;
  const active = shown.findIndex(({ id }) => id === (opened ?? activeId));
  const selected = shown.filter(({ id }) => chosen.has(id));
  const isFiltered = Object.keys(filter).length > 0;

  const open = (id: string | undefined) => {
    if (id) setActiveId(id);
    change({ id });
  };
  const toggle = (id: string) => {
    const after = new Set(chosen);
    if (!after.delete(id)) after.add(id);
    setChosen(after);
  };
  const onFacet: FacetProps["onChange"] = (name, values) => change({ [name]: values.join(",") || undefined });
  const openView = (query: string) => {
    const wanted = new URLSearchParams(query);
    const names = [...FACETS, "q", "silenced", "id"];
    change(Object.fromEntries(names.map((name) => [name, wanted.get(name) ?? undefined])));
  };
  const many = (verb: "acknowledge" | "resolve") => {
    setChosen(NONE);
    return actions.many(
      verb,
      selected.map(({ id }) => id),
    );
  };

  useAlertKeys({
    mayEdit,
    isBlocked: silencing !== undefined || isCorrecting,
    alert: shown[active],
    hasSelection: selected.length > 0,
    move: (by) => {
      const next = shown[Math.min(Math.max(active + by, 0), shown.length - 1)];
      if (!next) return;
      setActiveId(next.id);
      if (opened) open(next.id);
    },
    act: (verb, alert) => void (selected.length > 0 && !opened ? many(verb) : actions.one(verb, alert)),
    toggle,
    silence: setSilencing,
    clear: () => setChosen(NONE),
    search: () => search.current?.focus(),
  });

  const facets = <FacetPanel filter={filter} onChange={onFacet} />;
  return (
    <Page
      title={t("title")}
      description={t("description")}
      actions={<ViewMenu query={queryOf(filter)} onOpen={openView} />}
    >
      <div className="mb-3 flex flex-wrap items-center gap-2">
        <StatusTabs filter={filter} onChange={change} />
        <div className="ms-auto flex w-full gap-2 sm:w-auto">
          <SearchInput
            ref={search}
            className="flex-1 sm:w-72"
            label={t("search")}
            value={filter.q ?? ""}
            onChange={(q) => change({ q })}
          />
          <FilterDrawer>{facets}</FilterDrawer>
        </div>
      </div>
      <SampleNote alerts={shown} />
      <div className="grid items-start gap-6 lg:grid-cols-[1fr_13rem]">
        {error && !alerts ? (
          <ErrorState error={error} onRetry={refetch} />
        ) : alerts?.length === 0 ? (
          isFiltered ? (
            <NothingMatches onClear={() => openView("")} />
          ) : (
            <NoAlerts />
          )
        ) : (
          <AlertList
            alerts={alerts}
            active={active}
            chosen={chosen}
            hasMore={list.hasNextPage}
            onMore={() => !list.isFetchingNextPage && void list.fetchNextPage()}
            onSelect={mayEdit ? toggle : undefined}
            onOpen={open}
          >
            {(selected.length > 0 || actions.bulk) && (
              <BulkBar
                count={selected.length}
                bulk={actions.bulk}
                onMany={many}
                onStop={actions.stop}
                onClear={() => setChosen(NONE)}
              />
            )}
          </AlertList>
        )}
        <aside className="max-lg:hidden" aria-label={t("filters")}>
          {facets}
        </aside>
      </div>
      {opened && (
        <AlertDrawer
          id={opened}
          mayEdit={mayEdit}
          isDirty={isCorrecting}
          onDirty={setCorrecting}
          onAct={actions.one}
          onSilence={setSilencing}
          onClose={() => open(undefined)}
        />
      )}
      {silencing && <SilenceDialog alert={silencing} onClose={() => setSilencing(undefined)} />}
    </Page>
  );
}

/** A filter as it stands in the URL. */
function queryOf(filter: Filter): string {
  return new URLSearchParams(Object.entries(filter).map(([name, value]) => [name, String(value)])).toString();
}

interface Keys {
  mayEdit: boolean;
  /** A form is open that the keys must not reach past. */
  isBlocked: boolean;
  alert: Alert | undefined;
  hasSelection: boolean;
  move: (by: number) => void;
  act: (verb: "acknowledge" | "resolve", alert: Alert) => void;
  toggle: (id: string) => void;
  silence: (alert: Alert) => void;
  clear: () => void;
  search: () => void;
}

/** The keys of the list; they work in the drawer too, on the alert that is open. */
function useAlertKeys({ mayEdit, isBlocked, alert, hasSelection, ...keys }: Keys): void {
  const t = useTranslations("alerts.keys");
  const onAlert = (run: (alert: Alert) => void) => () => alert && run(alert);
  const reading = [
    { keys: "j", label: t("down"), inDrawer: true, run: () => keys.move(1) },
    { keys: "k", label: t("up"), inDrawer: true, run: () => keys.move(-1) },
    { keys: "/", label: t("search"), run: keys.search },
  ];
  const editing = [
    { keys: "a", label: t("acknowledge"), inDrawer: true, run: onAlert((one) => keys.act("acknowledge", one)) },
    { keys: "r", label: t("resolve"), inDrawer: true, run: onAlert((one) => keys.act("resolve", one)) },
    { keys: "s", label: t("silence"), inDrawer: true, run: onAlert(keys.silence) },
    { keys: "x", label: t("select"), run: onAlert((one) => keys.toggle(one.id)) },
  ];
  const clearing = hasSelection ? [{ keys: "Escape", label: t("clear"), run: keys.clear }] : [];
  useShortcuts(isBlocked ? [] : [...reading, ...(mayEdit ? editing : []), ...clearing]);
}

/** The facets on a narrow screen. */
function FilterDrawer({ children }: { children: ReactNode }) {
  const t = useTranslations("alerts");
  const [isOpen, setOpen] = useState(false);
  return (
    <>
      <Button className="lg:hidden" onClick={() => setOpen(true)}>
        <ListFilter aria-hidden />
        {t("filters")}
      </Button>
      {isOpen && (
        <Drawer open onOpenChange={setOpen} title={t("filters")} className="sm:max-w-sm">
          {children}
        </Drawer>
      )}
    </>
  );
}

function NoAlerts() {
  const t = useTranslations("alerts.empty");
  const action = (
    <>
      <Button asChild variant="primary">
        <Link href="/welcome/">{t("action")}</Link>
      </Button>
      <SendSamples />
    </>
  );
  return (
    <EmptyState icon={Bell} title={t("title")} action={action}>
      {t("text")}
    </EmptyState>
  );
}
