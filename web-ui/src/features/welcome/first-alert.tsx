"use client";

import { CircleCheck, Radio } from "lucide-react";
import { useTranslations } from "use-intl";
import { useSamples } from "@/components/connect/use-samples";
import { Button } from "@/components/ui/button";
import { ErrorState } from "@/components/ui/error-state";
import { Link } from "@/components/ui/link";
import { SeverityBadge } from "@/components/ui/severity";
import { Skeleton } from "@/components/ui/skeleton";
import { RelativeTime } from "@/components/ui/time";
import type { components } from "@/lib/api/schema";
import { useSession } from "@/lib/session";
import { useLatestEvent, useSample } from "./latest-event";

/** Waits for an alert and turns green when it is there, with what was detected and where it came from. */
export function FirstAlert({ token }: { token: string | undefined }) {
  const { event, isKnown, error } = useLatestEvent();
  if (error && !isKnown) return <ErrorState error={error} isInline />;
  if (!isKnown) return <Skeleton className="h-24 rounded-lg" />;
  return (
    <div aria-live="polite" aria-atomic>
      {event ? <Arrived event={event} /> : <Waiting token={token} />}
    </div>
  );
}

function Waiting({ token }: { token: string | undefined }) {
  const t = useTranslations("welcome.first");
  return (
    <div className="flex flex-wrap items-center gap-4 rounded-lg border border-line-strong border-dashed p-5">
      <Radio className="size-6 shrink-0 animate-pulse text-accent" strokeWidth={1.75} aria-hidden />
      <div className="min-w-48 flex-1">
        <p className="font-medium">{t("waiting")}</p>
        <p className="text-muted text-sm">{t("waitingText")}</p>
      </div>
      {token && <SampleButton token={token} />}
      <SampleSet />
    </div>
  );
}

/** Many at once, for those who want to see what a busy day looks like. */
function SampleSet() {
  const t = useTranslations("welcome.first");
  const { mayEdit } = useSession();
  const { send, isSending, error } = useSamples();
  if (!mayEdit) return null;
  return (
    <div className="flex w-full flex-wrap items-center gap-x-4 gap-y-2 border-t pt-4">
      <p className="min-w-48 flex-1 text-muted text-sm">{t("samplesText")}</p>
      <Button variant="ghost" isBusy={isSending} onClick={send}>
        {t("samples")}
      </Button>
      {error !== undefined && <ErrorState error={error} isInline />}
    </div>
  );
}

/** A sample for those who have no sender at hand. */
export function SampleButton({ token }: { token: string }) {
  const t = useTranslations("welcome.first");
  const { send, isBusy, error } = useSample(token);
  return (
    <>
      <Button isBusy={isBusy} onClick={() => void send(t("sampleTitle"), t("sampleText"))}>
        {t("sample")}
      </Button>
      {error !== undefined && (
        <div className="w-full">
          <ErrorState error={error} isInline />
        </div>
      )}
    </>
  );
}

/** How it came in, in the reader's words where there are some. */
const KNOWN_SOURCES = ["mail", "push", "alertmanager"] as const;

function Arrived({ event }: { event: components["schemas"]["EventView"] }) {
  const t = useTranslations("welcome.first");
  const source = KNOWN_SOURCES.find((each) => each === event.source);
  const facts = [
    [t("from"), event.from[0], true],
    [t("address"), event.peer, true],
    [t("by"), source ? t(`sources.${source}`) : event.source, !source],
    [t("system"), event.analysis?.system, true],
    [t("category"), event.analysis?.category, true],
  ] as const;
  return (
    <div className="grid gap-4 rounded-lg border border-success/50 bg-success-soft p-5">
      <div className="flex flex-wrap items-center gap-3">
        <CircleCheck className="size-6 shrink-0 text-success" strokeWidth={1.75} aria-hidden />
        <p className="min-w-40 flex-1 font-medium text-success">{t("arrived")}</p>
        <span className="text-ink text-sm">
          <RelativeTime at={event.received_at} />
        </span>
      </div>
      <p className="flex flex-wrap items-center gap-2">
        {event.analysis && <SeverityBadge severity={event.analysis.severity} />}
        <bdi className="font-medium">{event.subject}</bdi>
      </p>
      <dl className="flex flex-wrap gap-x-8 gap-y-2 text-sm">
        {facts.map(
          ([name, value, isMachine]) =>
            value && (
              <div key={name}>
                <dt className="text-ink/80">{name}</dt>
                <dd className={isMachine ? "font-mono" : "font-medium"}>
                  <bdi>{value}</bdi>
                </dd>
              </div>
            ),
        )}
      </dl>
      {event.alert && (
        <Link href={`/alerts/?id=${event.alert}`} className="w-fit text-accent underline underline-offset-4">
          {t("open")}
        </Link>
      )}
    </div>
  );
}
