"use client";

import { keepPreviousData } from "@tanstack/react-query";
import { CircleCheck, TriangleAlert } from "lucide-react";
import { Fragment, type ReactNode, useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { usePlatforms } from "@/components/connect/use-platforms";
import { Card } from "@/components/ui/card";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { Skeleton } from "@/components/ui/skeleton";
import { Tab, TabList, TabPanel, Tabs } from "@/components/ui/tabs";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";
import type { components } from "@/lib/api/schema";
import { cn } from "@/lib/cn";
import { useSettled } from "@/lib/use-settled";
import { type Piece, piecesOf } from "./markup";
import { type Draft, objectOf, type Subject, subjectBody } from "./template";

type Written = components["schemas"]["PreviewView"];

const EVENTS_SHOWN = 20;
/** Stands among the events for what a sender might push. */
const OWN = "sample";

/** What the template writes, while it is typed: on an event that came, or on a sample. */
export function Preview({
  draft,
  subject,
  onSubject,
}: {
  draft: Draft;
  subject: Subject;
  onSubject: (subject: Subject) => void;
}) {
  const t = useTranslations("templates.preview");
  const format = useFormatter();
  const [platform, setPlatform] = useState("telegram");
  const { event, sample } = subject;
  const platforms = usePlatforms();
  const events = api.useQuery("get", "/api/v1/events", { params: { query: { limit: EVENTS_SHOWN } } });
  const missing = [events, platforms].find(({ data, error }) => error && !data);
  const options = [
    { value: OWN, label: t("sample") },
    ...(events.data?.items ?? []).map(({ id, subject, received_at }) => ({
      value: id,
      label: (
        <span className="inline-block max-w-[40ch] truncate align-bottom">
          <bdi>{subject || id}</bdi> ·{" "}
          {format.dateTime(new Date(received_at), { dateStyle: "short", timeStyle: "short" })}
        </span>
      ),
    })),
  ];
  const isSampleWrong = !event && objectOf(sample) === undefined;
  return (
    <Card title={t("title")} className="min-w-0">
      <div className="mb-4 grid gap-4 sm:grid-cols-2">
        <Field label={t("on")}>
          {(wiring) => (
            <Select
              {...wiring}
              options={options}
              value={event ?? OWN}
              onValueChange={(chosen) => onSubject({ ...subject, event: chosen === OWN ? undefined : chosen })}
            />
          )}
        </Field>
        <Field label={t("platform")}>
          {(wiring) => (
            <Select
              {...wiring}
              options={(platforms.data?.items ?? []).map(({ id, title }) => ({ value: id, label: title }))}
              value={platform}
              onValueChange={setPlatform}
            />
          )}
        </Field>
        {missing && (
          <div className="sm:col-span-2">
            <ErrorState error={missing.error} isInline onRetry={() => void missing.refetch()} />
          </div>
        )}
        {!event && (
          <div className="sm:col-span-2">
            <Field label={t("json")} error={isSampleWrong && t("notJson")}>
              {(wiring) => (
                <Textarea
                  {...wiring}
                  dir="ltr"
                  spellCheck={false}
                  className="min-h-44 font-mono text-sm"
                  value={sample}
                  onChange={(change) => onSubject({ ...subject, sample: change.target.value })}
                />
              )}
            </Field>
          </div>
        )}
      </div>
      {!isSampleWrong && <Result draft={draft} platform={platform} subject={subject} />}
    </Card>
  );
}

function Result({ draft, platform, subject }: { draft: Draft; platform: string; subject: Subject }) {
  const t = useTranslations("templates.preview");
  const template = useSettled(draft.body);
  const sample = useSettled(subject.sample);
  const body = {
    body: template,
    parse_mode: draft.mode,
    platform,
    ...subjectBody({ ...subject, sample }),
  };
  const query = api.useQuery(
    "post",
    "/api/v1/templates/preview",
    { body },
    { placeholderData: keepPreviousData, gcTime: 60_000 },
  );
  const refused = refusedField(query.error);
  const wrong = refused?.field === "body" ? refused.why : undefined;
  return (
    <div className="grid gap-4">
      {wrong && (
        <p role="alert" className="rounded-md bg-critical-soft p-3 text-critical">
          {t("wrong")} <bdi className="wrap-anywhere font-mono text-sm">{wrong}</bdi>
        </p>
      )}
      {query.error && !wrong && <ErrorState error={query.error} isInline onRetry={() => void query.refetch()} />}
      {query.data && !query.error && <Message written={query.data} />}
      {query.isPending && <Skeleton className="h-24" />}
    </div>
  );
}

function Message({ written }: { written: Written }) {
  const t = useTranslations("templates.preview");
  return (
    <>
      <Tabs defaultValue="message">
        <TabList aria-label={t("title")}>
          <Tab value="message">{t("message")}</Tab>
          <Tab value="source">{t("source")}</Tab>
        </TabList>
        <TabPanel value="message">
          <div
            dir="auto"
            data-testid="message"
            className="wrap-anywhere min-h-16 whitespace-pre-wrap rounded-lg rounded-ss-none bg-accent-soft p-4 text-ink [unicode-bidi:plaintext]"
          >
            {written.rendered.trim() === "" ? (
              <span className="text-muted">{t("nothing")}</span>
            ) : (
              <Pieces pieces={piecesOf(written.rendered, written.parse_mode)} />
            )}
          </div>
        </TabPanel>
        <TabPanel value="source">
          <pre
            dir="auto"
            className="wrap-anywhere min-h-16 whitespace-pre-wrap rounded-lg bg-sunken p-4 font-mono text-sm [unicode-bidi:plaintext]"
          >
            {written.rendered}
          </pre>
        </TabPanel>
      </Tabs>
      <Length written={written} />
    </>
  );
}

function Pieces({ pieces }: { pieces: Piece[] }): ReactNode {
  return pieces.map((piece, index) => {
    // biome-ignore lint/suspicious/noArrayIndexKey: the pieces of one message never move
    if (typeof piece === "string") return <Fragment key={index}>{piece}</Fragment>;
    const inner = <Pieces pieces={piece.children} />;
    // A link is shown, not followed: where it leads is the template's business.
    if (piece.tag === "a") {
      return (
        // biome-ignore lint/suspicious/noArrayIndexKey: as above
        <span key={index} className="text-accent underline">
          {inner}
        </span>
      );
    }
    const Tag = piece.tag;
    return (
      // biome-ignore lint/suspicious/noArrayIndexKey: as above
      <Tag key={index} className={cn((Tag === "code" || Tag === "pre") && "font-mono text-sm")}>
        {inner}
      </Tag>
    );
  });
}

/** How long the message is against what the platform takes, and what becomes of more. */
function Length({ written: { length, limits, fits } }: { written: Written }) {
  const t = useTranslations("templates.preview");
  const format = useFormatter();
  const unit = limits.unit === "bytes" || limits.unit === "utf16" ? limits.unit : "characters";
  const Icon = fits ? CircleCheck : TriangleAlert;
  return (
    <div className="grid gap-1.5 text-sm">
      <progress
        aria-label={t("length")}
        value={Math.min(length, limits.text_max)}
        max={limits.text_max}
        className={cn(
          "h-1.5 w-full appearance-none overflow-hidden rounded-full bg-hover [&::-webkit-progress-bar]:bg-hover",
          fits
            ? "[&::-moz-progress-bar]:bg-accent [&::-webkit-progress-value]:bg-accent"
            : "[&::-moz-progress-bar]:bg-warning [&::-webkit-progress-value]:bg-warning",
        )}
      />
      <p className={cn("flex items-center gap-1.5", fits ? "text-muted" : "text-warning")}>
        <Icon className="size-4 shrink-0" aria-hidden />
        <span className="tabular-nums">
          {t(`units.${unit}`, { length: format.number(length), max: format.number(limits.text_max) })}
        </span>
        {!fits && <span>· {limits.beyond === "split" ? t("split") : t("cut")}</span>}
      </p>
    </div>
  );
}
