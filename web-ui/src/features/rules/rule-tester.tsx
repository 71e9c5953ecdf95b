"use client";

import { BellOff, CircleAlert, Send, Split } from "lucide-react";
import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Reason } from "@/components/match/reason";
import { Badge } from "@/components/ui/badge";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input, Textarea } from "@/components/ui/input";
import { SeverityBadge } from "@/components/ui/severity";
import { Skeleton, SkeletonRows } from "@/components/ui/skeleton";
import { Tab, TabList, TabPanel, Tabs } from "@/components/ui/tabs";
import { RelativeTime } from "@/components/ui/time";
import { api } from "@/lib/api/client";
import { kindOf } from "@/lib/api/errors";
import type { components } from "@/lib/api/schema";
import { cn } from "@/lib/cn";
import { useMoment } from "@/lib/use-moment";
import { useSettled } from "@/lib/use-settled";
import { useSpan } from "@/lib/use-span";
import type { RuleBody } from "./rule-form";
import { SampleFields } from "./sample-fields";

type TestBody = components["schemas"]["RuleTestBody"];
type Routing = components["schemas"]["RoutingView"];

/** Says where an alert goes and why: one that came, was typed or pasted. `rules` is a draft to route it by. */
export function RuleTester({ rules, event }: { rules?: RuleBody[]; event?: string }) {
  const t = useTranslations("rules.tester");
  const [source, setSource] = useState<string>("past");
  const [chosen, setChosen] = useState(event);
  const [sample, setSample] = useState<TestBody["event"]>();
  const [text, setText] = useState("");
  const [at, setAt] = useState("");
  const moment = new Date(at);
  const inWords = useMoment();
  const pasted = fromPasted(text);
  const given = source === "past" ? { event_id: chosen } : source === "sample" ? { event: sample } : pasted;
  const asked: TestBody = {
    ...given,
    ...(rules && { rules }),
    ...(!Number.isNaN(moment.getTime()) && { at: moment.toISOString() }),
  };
  const isAsked = given !== undefined && Object.values(given).some((value) => value !== undefined);
  return (
    <div className="grid gap-5">
      <Tabs value={source} onValueChange={setSource}>
        <TabList>
          <Tab value="past">{t("past")}</Tab>
          <Tab value="sample">{t("sample")}</Tab>
          <Tab value="pasted">{t("pasted")}</Tab>
        </TabList>
        <TabPanel value="past">
          <PastEvents chosen={chosen} onChoose={setChosen} />
        </TabPanel>
        <TabPanel value="sample" forceMount className="data-[state=inactive]:hidden">
          <SampleFields onChange={setSample} />
        </TabPanel>
        <TabPanel value="pasted">
          <Field label={t("pasted")} hint={t("pastedHint")} error={pasted ? undefined : t("notJson")}>
            {(wiring) => (
              <Textarea
                dir="ltr"
                className="min-h-40 font-mono"
                {...wiring}
                value={text}
                onChange={(change) => setText(change.target.value)}
              />
            )}
          </Field>
        </TabPanel>
      </Tabs>
      <div className="max-w-64">
        <Field label={t("at")} hint={inWords(at) ?? t("atHint")}>
          {(wiring) => (
            <Input type="datetime-local" {...wiring} value={at} onChange={(change) => setAt(change.target.value)} />
          )}
        </Field>
      </div>
      {isAsked ? <Answer asked={asked} /> : <p className="text-muted">{t("choose")}</p>}
    </div>
  );
}

/** A JSON object is what a sender of webhooks posts, anything else a mail with its header; undefined: broken JSON. */
function fromPasted(text: string): TestBody | undefined {
  if (!text.trimStart().startsWith("{")) return { raw: text.trim() === "" ? undefined : text };
  try {
    return { body: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function PastEvents({ chosen, onChoose }: { chosen?: string; onChoose: (id: string) => void }) {
  const t = useTranslations("rules.tester");
  const [search, setSearch] = useState("");
  const q = useSettled(search.trim());
  const { data, error, refetch } = api.useQuery(
    "get",
    "/api/v1/events",
    { params: { query: { limit: 20, ...(q && { q }) } } },
    { placeholderData: (before) => before },
  );
  return (
    <div className="grid gap-3">
      <Input
        type="search"
        aria-label={t("search")}
        placeholder={t("search")}
        value={search}
        onChange={(event) => setSearch(event.target.value)}
      />
      {error && <Problem error={error} onRetry={() => void refetch()} />}
      {!data && !error && <SkeletonRows count={3} />}
      {data?.items.length === 0 && <p className="text-muted">{q ? t("notFound") : t("noEvents")}</p>}
      {data && data.items.length > 0 && (
        <ul aria-label={t("past")} className="max-h-64 divide-y divide-line overflow-y-auto rounded-lg border">
          {data.items.map(({ id, subject, from, source, received_at, analysis }) => (
            <li key={id} className={cn("flex items-center pe-3 hover:bg-hover", id === chosen && "bg-accent-soft")}>
              <button
                type="button"
                aria-pressed={id === chosen}
                onClick={() => onChoose(id)}
                className="flex min-w-0 flex-1 items-center gap-3 px-3 py-2 text-start outline-offset-[-2px]"
              >
                {analysis && <SeverityBadge severity={analysis.severity} />}
                <span className="grid min-w-0 flex-1">
                  <bdi className="truncate">{subject}</bdi>
                  <bdi className="truncate text-muted text-sm">{[source, ...from].join(" · ")}</bdi>
                </span>
              </button>
              <span className="shrink-0 text-muted text-sm">
                <RelativeTime at={received_at} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}

function Answer({ asked }: { asked: TestBody }) {
  const settled = useSettled(asked);
  const { data, error, refetch } = api.useQuery(
    "post",
    "/api/v1/rules/test",
    { body: settled },
    { placeholderData: (before) => before, retry: false, staleTime: 0 },
  );
  if (error) return <Problem error={error} onRetry={() => void refetch()} />;
  if (!data) return <Skeleton className="h-24 rounded-lg" />;
  return (
    <div className="grid gap-3">
      {[data, ...(data.others ?? [])].map((routing) => (
        <RoutingAnswer key={routing.read?.fingerprint ?? ""} routing={routing} />
      ))}
    </div>
  );
}

/** What is wrong with what was asked, in the server's words; or that there was no answer. */
function Problem({ error, onRetry }: { error: unknown; onRetry: () => void }) {
  if (kindOf(error) !== "invalid") return <ErrorState error={error} isInline onRetry={onRetry} />;
  return (
    <p role="alert" className="flex items-start gap-2 rounded-md bg-critical-soft p-3 text-critical">
      <CircleAlert className="mt-0.5 size-4 shrink-0" aria-hidden />
      <bdi>{error instanceof Error ? error.message : ""}</bdi>
    </p>
  );
}

function RoutingAnswer({ routing }: { routing: Routing }) {
  const t = useTranslations("rules.tester");
  const { channels, severity, reasons, ending, muted, silenced_by: silence } = routing;
  const span = useSpan();
  const goes = channels.length > 0 && !ending && muted == null;
  return (
    <section aria-live="polite" aria-label={t("result")} className="grid gap-3 rounded-lg border bg-sunken p-4">
      {routing.read && (
        <p className="ps-6 text-muted">
          <bdi>{routing.read.subject}</bdi>
        </p>
      )}
      <Line icon={goes ? Send : BellOff} tone={goes ? "text-success" : "text-critical"}>
        <span className="flex flex-wrap items-center gap-1.5 font-medium">
          {goes ? t("goesTo") : t(`nowhere.${muted != null ? "muted" : silence != null ? "silenced" : "unrouted"}`)}
          {goes &&
            channels.map(({ id, name }) => (
              <Badge key={id} tone="accent">
                <bdi>{name}</bdi>
              </Badge>
            ))}
        </span>
      </Line>
      {muted && (
        <p className="ps-6 text-muted">
          <bdi>{muted}</bdi>
        </p>
      )}
      <Line icon={Split} tone="text-muted">
        {reasons.length === 0 ? (
          <span className="text-muted">{t("noReason")}</span>
        ) : (
          <ol className="grid gap-1">
            {reasons.map((reason) => (
              <li key={reason}>
                <Reason text={reason} />
              </li>
            ))}
          </ol>
        )}
      </Line>
      <div className="flex flex-wrap items-center gap-2 ps-6 text-muted text-sm">
        {t("severityAfter")} <SeverityBadge severity={severity} />
        {routing.ai_max_wait && t("waits", { wait: span(routing.ai_max_wait) })}
      </div>
    </section>
  );
}

function Line({ icon: Icon, tone, children }: { icon: typeof Send; tone: string; children: ReactNode }) {
  return (
    <div className="flex items-start gap-2">
      <Icon className={cn("mt-1 size-4 shrink-0", tone)} aria-hidden />
      <div className="min-w-0 flex-1">{children}</div>
    </div>
  );
}
