"use client";

import { PencilLine } from "lucide-react";
import { useFormatter, useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Definitions } from "@/components/ui/definition";
import { Linked } from "@/components/ui/linked";
import { SeverityBadge } from "@/components/ui/severity";
import type { components } from "@/lib/api/schema";
import { LabelForm } from "./label-form";

type Detail = components["schemas"]["AlertDetail"];
type EventDetail = components["schemas"]["EventDetail"];

interface Props {
  alert: Detail;
  event: EventDetail;
  mayEdit: boolean;
  isCorrecting: boolean;
  onCorrecting: (isCorrecting: boolean) => void;
  onDirty: (isDirty: boolean) => void;
}

/** What was understood, beside what was sent; and a way to say how it is right. */
export function Understood(props: Props) {
  const { event } = props;
  const t = useTranslations("alerts.detail");
  return (
    <div className="grid gap-6 md:grid-cols-2">
      <Analysis {...props} />
      <section className="grid min-w-0 content-start gap-3">
        <h3 className="font-semibold">{t("original")}</h3>
        <p className="font-medium">
          <bdi>{event.subject}</bdi>
        </p>
        <Definitions
          items={[
            [t("source"), <bdi key="source">{event.source}</bdi>],
            [t("from"), event.from.length > 0 && <bdi key="from">{event.from.join(", ")}</bdi>],
            [t("to"), event.to.length > 0 && <bdi key="to">{event.to.join(", ")}</bdi>],
            [t("peer"), event.peer && <bdi key="peer">{event.peer}</bdi>],
            [t("attachments"), event.attachments.length > 0 && <bdi key="files">{event.attachments.join(", ")}</bdi>],
          ].map(([name, value]) => [name, value || undefined])}
        />
        {event.text && (
          <div dir="auto" className="whitespace-pre-wrap break-words rounded-md bg-sunken p-3 text-sm">
            <Linked text={event.text} />
          </div>
        )}
        <Labels labels={event.labels} />
      </section>
    </div>
  );
}

function Analysis({ alert, event, mayEdit, isCorrecting, onCorrecting, onDirty }: Props) {
  const t = useTranslations("alerts.detail");
  const format = useFormatter();
  const seen = event.analysis ?? alert;
  const byRules = event.rules_analysis?.summary;
  if (isCorrecting) {
    return <LabelForm alert={alert} seen={seen} onDirty={onDirty} onClose={() => onCorrecting(false)} />;
  }
  return (
    <section className="grid min-w-0 content-start gap-3">
      <header className="flex items-center justify-between gap-2">
        <h3 className="font-semibold">{t("understood")}</h3>
        {mayEdit && (
          <Button size="sm" onClick={() => onCorrecting(true)}>
            <PencilLine aria-hidden />
            {t("correct")}
          </Button>
        )}
      </header>
      <p className="text-lg">
        <bdi>{seen.summary || t("noSummary")}</bdi>
      </p>
      {seen.action && (
        <p className="rounded-md bg-accent-soft px-3 py-2">
          <bdi>{seen.action}</bdi>
        </p>
      )}
      <Definitions
        items={[
          [t("severity"), <SeverityBadge key="severity" severity={seen.severity} />],
          [t("system"), seen.system && <bdi key="system">{seen.system}</bdi>],
          [t("category"), seen.category && <bdi key="category">{seen.category}</bdi>],
          [t("by"), t(`origins.${seen.origin}`)],
          [t("confidence"), format.number(seen.confidence, { style: "percent" })],
          [t("rulesSaid"), byRules && byRules !== seen.summary && <bdi key="rules">{byRules}</bdi>],
        ].map(([name, value]) => [name, value || undefined])}
      />
      {alert.label && (
        <p className="rounded-md bg-success-soft px-3 py-2 text-sm">
          {t.rich("corrected", { by: () => <bdi className="font-medium">{alert.label?.by}</bdi> })}
        </p>
      )}
    </section>
  );
}

function Labels({ labels }: { labels: Record<string, string> }) {
  const t = useTranslations("alerts.detail");
  const pairs = Object.entries(labels);
  if (pairs.length === 0) return null;
  return (
    <details className="text-sm" open={pairs.length <= 6}>
      <summary className="cursor-pointer font-medium">{t("labels", { count: pairs.length })}</summary>
      <dl dir="ltr" className="mt-2 grid grid-cols-[auto_1fr] gap-x-3 gap-y-1 font-mono text-xs">
        {pairs.map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="min-w-0 break-words">{value}</dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
