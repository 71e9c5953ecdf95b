"use client";

import { ArrowRight, FlaskConical } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Reason } from "@/components/match/reason";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Kpi } from "@/components/ui/kpi";
import { Progress } from "@/components/ui/progress";
import { Select } from "@/components/ui/select";
import { SeverityBadge } from "@/components/ui/severity";
import { NUMBERS, Table, Td, Th, Tr } from "@/components/ui/table";
import { RelativeTime } from "@/components/ui/time";
import type { RuleBody } from "./rule-form";
import { type DryRun, whatIf } from "./what-if";

const SPANS = [1, 3, 7, 14, 30];

interface Run {
  /** The rules that it was done with. */
  rules: string;
  /** How much of the time was looked at, from 0 to 1. */
  share: number;
  result?: DryRun;
  error?: unknown;
  isStopped?: boolean;
}

/** Tries a draft of the rules on the last days, some alerts at a time, and can be stopped. */
export function WhatIfPanel({ rules, intro }: { rules: RuleBody[]; intro?: ReactNode }) {
  const t = useTranslations("rules.whatIf");
  const format = useFormatter();
  const [days, setDays] = useState(7);
  const [run, setRun] = useState<Run>();
  const abort = useRef<AbortController>(undefined);
  useEffect(() => () => abort.current?.abort(), []);

  const start = async () => {
    abort.current?.abort();
    const current = new AbortController();
    abort.current = current;
    const change = (changes: Partial<Run>) => {
      if (abort.current === current) setRun((before) => before && { ...before, ...changes });
    };
    setRun({ rules: JSON.stringify(rules), share: 0 });
    try {
      await whatIf(rules, days, { signal: current.signal, onBatch: change });
    } catch (error) {
      change(current.signal.aborted ? { isStopped: true } : { error });
    }
  };

  const isRunning = run && !run.error && !run.isStopped && run.share < 1;
  const isOutdated = run && run.rules !== JSON.stringify(rules);
  const sofar = ({ events, reached }: DryRun) =>
    t("sofar", {
      events,
      reached: reached ? format.dateTime(new Date(reached), { dateStyle: "medium", timeStyle: "short" }) : "",
    });
  const spans = SPANS.map((span) => ({ value: String(span), label: t("days", { days: span }) }));
  return (
    <section className="grid gap-4" aria-label={t("title")}>
      {intro ?? <p className="text-muted">{t("intro")}</p>}
      <div className="flex flex-wrap gap-2">
        <Select
          className="w-44"
          aria-label={t("span")}
          options={spans}
          value={String(days)}
          onValueChange={(value) => setDays(Number(value))}
        />
        <Button variant="primary" isBusy={isRunning} onClick={() => void start()}>
          <FlaskConical aria-hidden />
          {run ? t("again") : t("start")}
        </Button>
      </div>
      {isRunning && (
        <Progress
          label={t("running")}
          done={Math.round(run.share * 100)}
          total={100}
          note={run.result && sofar(run.result)}
          onStop={() => abort.current?.abort()}
        />
      )}
      {run?.error !== undefined && <ErrorState error={run.error} isInline onRetry={() => void start()} />}
      {isOutdated && !isRunning && <Note>{t("outdated")}</Note>}
      {run?.isStopped && <Note>{run.result ? t("stopped", { sofar: sofar(run.result) }) : t("stoppedAtOnce")}</Note>}
      {run?.result && <Result result={run.result} />}
    </section>
  );
}

function Note({ children }: { children: ReactNode }) {
  return <p className="rounded-md bg-warning-soft px-3 py-2 text-sm text-warning">{children}</p>;
}

function Result({ result }: { result: DryRun }) {
  const t = useTranslations("rules.whatIf");
  const { events, moved, lost, found, severity_changed: severityChanged } = result;
  const isSame = moved + lost + found + severityChanged === 0;
  return (
    <div className="grid gap-4" aria-live="polite">
      <div className="grid grid-cols-2 gap-2 sm:grid-cols-4">
        <Kpi label={t("moved")} value={moved} tone={moved > 0 ? "warning" : "neutral"} />
        <Kpi label={t("lost")} value={lost} tone={lost > 0 ? "critical" : "success"} note={t("lostNote")} />
        <Kpi label={t("found")} value={found} note={t("foundNote")} />
        <Kpi label={t("severityChanged")} value={severityChanged} />
      </div>
      <p className="text-muted text-sm">
        {t("events", { events })} {t("without")}
      </p>
      {events > 0 && isSame && <p className="font-medium">{t("same")}</p>}
      {!isSame && <ChannelTable result={result} />}
      {result.examples.length > 0 && <Examples result={result} />}
    </div>
  );
}

function ChannelTable({ result }: { result: DryRun }) {
  const t = useTranslations("rules.whatIf");
  const format = useFormatter();
  return (
    <Table>
      <thead>
        <tr>
          <Th>{t("channel")}</Th>
          <Th className={NUMBERS}>{t("now")}</Th>
          <Th className={NUMBERS}>{t("draft")}</Th>
          <Th className={NUMBERS}>{t("difference")}</Th>
        </tr>
      </thead>
      <tbody>
        {result.channels.map(({ id, name, now, draft }) => (
          <Tr key={id}>
            <Td>
              <bdi>{name}</bdi>
            </Td>
            <Td className={NUMBERS}>{format.number(now)}</Td>
            <Td className={NUMBERS}>{format.number(draft)}</Td>
            <Td className={NUMBERS}>
              <bdi>{format.number(draft - now, { signDisplay: "exceptZero" })}</bdi>
            </Td>
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}

function Examples({ result }: { result: DryRun }) {
  const t = useTranslations("rules.whatIf");
  return (
    <div className="grid gap-2">
      <h3 className="font-semibold">{t("examples")}</h3>
      <ul className="divide-y divide-line rounded-lg border">
        {result.examples.map(({ event, now, draft, severity_now, severity_draft, reasons }) => (
          <li key={event.id} className="grid gap-1.5 px-3 py-2.5">
            <div className="flex items-center gap-2">
              <bdi className="min-w-0 flex-1 truncate font-medium">{event.subject}</bdi>
              <span className="shrink-0 text-muted text-sm">
                <RelativeTime at={event.received_at} />
              </span>
            </div>
            <div className="flex flex-wrap items-center gap-x-2 gap-y-1 text-sm">
              <Names names={now} />
              <ArrowRight className="size-3.5 shrink-0 text-muted rtl:-scale-x-100" aria-label={t("becomes")} />
              <Names names={draft} isDraft />
              {severity_now !== severity_draft && (
                <span className="ms-auto flex items-center gap-1">
                  <SeverityBadge severity={severity_now} />
                  <ArrowRight className="size-3.5 text-muted rtl:-scale-x-100" aria-label={t("becomes")} />
                  <SeverityBadge severity={severity_draft} />
                </span>
              )}
            </div>
            {reasons.length > 0 && (
              <ul className="text-muted text-sm">
                {reasons.map((reason) => (
                  <li key={reason}>
                    <Reason text={reason} />
                  </li>
                ))}
              </ul>
            )}
          </li>
        ))}
      </ul>
    </div>
  );
}

function Names({ names, isDraft = false }: { names: string[]; isDraft?: boolean }) {
  const t = useTranslations("rules.whatIf");
  if (names.length === 0) {
    return <span className={isDraft ? "font-medium text-critical" : "text-muted"}>{t("nowhere")}</span>;
  }
  return <bdi className={isDraft ? "font-medium" : "text-muted"}>{names.join(", ")}</bdi>;
}
