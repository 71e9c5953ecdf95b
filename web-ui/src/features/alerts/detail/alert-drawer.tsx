"use client";

import { BellOff, CircleCheck, Eye, Undo2 } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { EditorDrawer } from "@/components/ui/editor-drawer";
import { ErrorState } from "@/components/ui/error-state";
import { Kbd } from "@/components/ui/kbd";
import { SeverityBadge, StatusBadge } from "@/components/ui/severity";
import { Skeleton } from "@/components/ui/skeleton";
import { Tab, TabList, TabPanel, Tabs } from "@/components/ui/tabs";
import { RelativeTime } from "@/components/ui/time";
import { api } from "@/lib/api/client";
import { useLiveRefresh } from "@/lib/api/live";
import type { components } from "@/lib/api/schema";
import type { Alert } from "../filter";
import { Deliveries } from "./deliveries";
import { Raw } from "./raw";
import { Timeline } from "./timeline";
import { Understood } from "./understood";

type Verb = "acknowledge" | "resolve" | "unacknowledge";
type Detail = components["schemas"]["AlertDetail"];

interface Props {
  id: string;
  mayEdit: boolean;
  /** A correction is typed and not kept yet. */
  isDirty: boolean;
  onDirty: (isDirty: boolean) => void;
  onAct: (verb: Verb, alert: Alert) => Promise<void>;
  onSilence: (alert: Alert) => void;
  onClose: () => void;
}

const TABS = ["understood", "deliveries", "raw", "timeline"] as const;

/** One alert with everything that is known: what was understood, where it went, as it came, what happened when. */
export function AlertDrawer({ id, mayEdit, isDirty, onDirty, onAct, onSilence, onClose }: Props) {
  const t = useTranslations("alerts.detail");
  const { data, error, refetch } = api.useQuery("get", "/api/v1/alerts/{id}", { params: { path: { id } } });
  useLiveRefresh("/api/v1/alerts/{id}", "/api/v1/events/{id}");
  return (
    <EditorDrawer
      title={data ? <bdi className="line-clamp-3">{data.summary || data.subject}</bdi> : t("title")}
      isDirty={isDirty}
      onClose={onClose}
      footer={() => data && mayEdit && <Actions alert={data} onAct={onAct} onSilence={onSilence} />}
      className="sm:max-w-3xl"
    >
      {error && !data ? (
        <ErrorState error={error} onRetry={refetch} />
      ) : !data ? (
        <div className="grid gap-4">
          <Skeleton className="w-1/2" />
          <Skeleton className="h-48" />
        </div>
      ) : (
        <Content key={id} alert={data} mayEdit={mayEdit} onDirty={onDirty} />
      )}
    </EditorDrawer>
  );
}

function Content({ alert, mayEdit, onDirty }: { alert: Detail } & Pick<Props, "mayEdit" | "onDirty">) {
  const t = useTranslations("alerts.detail");
  const [chosen, setChosen] = useState<string>();
  const [tab, setTab] = useState<string>(TABS[0]);
  // What is being corrected stays, whatever else comes in meanwhile.
  const [corrected, setCorrected] = useState<string>();
  const id = corrected ?? chosen ?? alert.last_event;
  const query = api.useQuery("get", "/api/v1/events/{id}", { params: { path: { id } } });
  const event = query.data;
  const pending: ReactNode = query.error ? (
    <ErrorState error={query.error} onRetry={query.refetch} />
  ) : (
    <Skeleton className="h-48" />
  );
  const showEvent = (eventId: string) => {
    setChosen(eventId === alert.last_event ? undefined : eventId);
    setTab("understood");
  };
  return (
    <div className="grid gap-4">
      <div className="flex flex-wrap items-center gap-x-3 gap-y-2 text-muted text-sm">
        <SeverityBadge severity={alert.severity} />
        <StatusBadge status={alert.status} />
        {alert.silenced && <StatusBadge status="silenced" />}
        <span>{t("times", { count: alert.count })}</span>
        <span>{t.rich("since", { time: () => <RelativeTime at={alert.first_seen} /> })}</span>
        <span>{t.rich("last", { time: () => <RelativeTime at={alert.last_seen} /> })}</span>
      </div>
      {alert.mark && (
        <p className="rounded-md bg-sunken px-3 py-2 text-sm">
          {t.rich("mark", {
            by: () => <bdi className="font-medium">{alert.mark?.by}</bdi>,
            time: () => <RelativeTime at={alert.mark?.at ?? ""} />,
          })}
          {alert.mark.comment && <bdi className="block text-muted">{alert.mark.comment}</bdi>}
        </p>
      )}
      {id !== alert.last_event && !corrected && (
        <div className="flex flex-wrap items-center gap-2 rounded-md bg-info-soft px-3 py-2 text-sm">
          {t("earlier")}
          <Button size="sm" variant="ghost" onClick={() => setChosen(undefined)}>
            {t("latest")}
          </Button>
        </div>
      )}
      <Tabs value={tab} onValueChange={setTab}>
        <TabList>
          {TABS.map((each) => (
            <Tab key={each} value={each}>
              {t(`tabs.${each}`)}
            </Tab>
          ))}
        </TabList>
        <TabPanel value="understood" forceMount className="data-[state=inactive]:hidden">
          {event ? (
            <Understood
              alert={alert}
              event={event}
              mayEdit={mayEdit}
              isCorrecting={corrected !== undefined}
              onCorrecting={(isCorrecting) => setCorrected(isCorrecting ? id : undefined)}
              onDirty={onDirty}
            />
          ) : (
            pending
          )}
        </TabPanel>
        <TabPanel value="deliveries">{event ? <Deliveries event={event} /> : pending}</TabPanel>
        <TabPanel value="raw">{event ? <Raw key={id} event={event} /> : pending}</TabPanel>
        <TabPanel value="timeline">
          <Timeline moments={alert.timeline} shown={id} onEvent={showEvent} />
        </TabPanel>
      </Tabs>
    </div>
  );
}

function Actions({ alert, onAct, onSilence }: { alert: Detail } & Pick<Props, "onAct" | "onSilence">) {
  const t = useTranslations("alerts.actions");
  return (
    <>
      {alert.mark && (
        <Button className="me-auto" onClick={() => void onAct("unacknowledge", alert)}>
          <Undo2 className="rtl:-scale-x-100" aria-hidden />
          {t("unacknowledge")}
        </Button>
      )}
      <Button onClick={() => onSilence(alert)}>
        <BellOff aria-hidden />
        {t("silence")}
        <span className="max-sm:hidden">
          <Kbd keys="s" />
        </span>
      </Button>
      {alert.status !== "resolved" && (
        <Button onClick={() => void onAct("resolve", alert)}>
          <CircleCheck aria-hidden />
          {t("resolve")}
          <span className="max-sm:hidden">
            <Kbd keys="r" />
          </span>
        </Button>
      )}
      {alert.status === "firing" && (
        <Button variant="primary" onClick={() => void onAct("acknowledge", alert)}>
          <Eye aria-hidden />
          {t("acknowledge")}
          <span className="max-sm:hidden">
            <Kbd keys="a" />
          </span>
        </Button>
      )}
    </>
  );
}
