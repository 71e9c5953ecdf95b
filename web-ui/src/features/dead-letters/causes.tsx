"use client";

import { ListFilter, RotateCw } from "lucide-react";
import { useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { RelativeTime } from "@/components/ui/time";
import type { components } from "@/lib/api/schema";
import { cn } from "@/lib/cn";
import { useDestination } from "./dead-letter-table";
import { type Filter, ReplayConfirm } from "./replay-confirm";

type Cause = components["schemas"]["DeadCause"];

/** More than these are shown when asked for. */
const SHOWN = 5;

export const filterOf = ({ queue, channel, cause }: Cause): Filter => ({ queue, channel: channel ?? undefined, cause });

/** What the dead letters died of, most frequent first: each cause can be looked at and replayed as a whole. */
export function Causes({
  causes,
  chosen,
  onChoose,
  onReplay,
  isBusy,
}: {
  causes: components["schemas"]["DeadCauses"];
  /** That of the list below. */
  chosen: Filter;
  /** Without a filter: all again. */
  onChoose: (filter?: Filter) => void;
  /** Absent for those who may only look. */
  onReplay?: (filter: Filter, count: number) => Promise<void>;
  isBusy: boolean;
}) {
  const t = useTranslations("dead-letters.causes");
  const [isWhole, setWhole] = useState(false);
  const isChosen = ({ queue, channel, cause }: Cause) =>
    chosen.cause === cause && chosen.queue === queue && chosen.channel === (channel ?? undefined);
  const shown = causes.items.filter((cause, index) => isWhole || index < SHOWN || isChosen(cause));
  return (
    <Card title={t("title")} aside={<Counted causes={causes} />} className="mb-5 pb-2">
      <ul className="-mx-5 divide-y divide-line border-t">
        {shown.map((cause) => (
          <Row
            key={`${cause.queue} ${cause.channel} ${cause.cause}`}
            cause={cause}
            isChosen={isChosen(cause)}
            {...{ onChoose, onReplay, isBusy }}
          />
        ))}
      </ul>
      {causes.items.length > SHOWN && (
        <Button variant="ghost" size="sm" className="my-1" aria-expanded={isWhole} onClick={() => setWhole(!isWhole)}>
          {isWhole ? t("fewer") : t("all", { count: causes.items.length })}
        </Button>
      )}
    </Card>
  );
}

function Counted({ causes: { more, counted } }: { causes: components["schemas"]["DeadCauses"] }) {
  const t = useTranslations("dead-letters.causes");
  return more ? <p className="text-muted text-sm">{t("counted", { count: counted })}</p> : null;
}

function Row({
  cause,
  isChosen,
  onChoose,
  onReplay,
  isBusy,
}: { cause: Cause; isChosen: boolean } & Pick<Parameters<typeof Causes>[0], "onChoose" | "onReplay" | "isBusy">) {
  const t = useTranslations("dead-letters.causes");
  const format = useFormatter();
  const destination = useDestination()(cause);
  const { count, reason, since, last_at } = cause;
  const filter = filterOf(cause);
  return (
    <li
      className={cn("flex flex-wrap items-center gap-x-4 gap-y-2 px-5 py-3", isChosen && "bg-accent-soft")}
      aria-current={isChosen || undefined}
    >
      <p className="min-w-16 text-end font-semibold text-lg tabular-nums">
        {format.number(count)}
        <span className="sr-only"> {t("letters", { count })}</span>
      </p>
      <div className="min-w-0 flex-1 basis-56">
        <p className="flex min-w-0 flex-wrap gap-x-2">
          <bdi className="font-medium">{destination}</bdi>
          <span className="text-muted text-sm">
            {count === 1 ? (
              <RelativeTime at={since} />
            ) : (
              t.rich("when", { since: () => <RelativeTime at={since} />, last: () => <RelativeTime at={last_at} /> })
            )}
          </span>
        </p>
        <bdi title={reason} className="wrap-anywhere line-clamp-2 text-muted text-sm">
          {cause.cause}
        </bdi>
      </div>
      <div className="flex gap-2">
        <Button
          size="sm"
          aria-pressed={isChosen}
          aria-label={`${t("show")}: ${cause.cause}`}
          onClick={() => onChoose(isChosen ? undefined : filter)}
        >
          <ListFilter aria-hidden />
          {t("show")}
        </Button>
        {onReplay && (
          <ReplayConfirm
            filter={filter}
            title={t("question", { count })}
            action={t("replay")}
            trigger={
              <Button size="sm" disabled={isBusy} aria-label={`${t("replay")}: ${cause.cause}`}>
                <RotateCw aria-hidden />
                {t("replay")}
              </Button>
            }
            onConfirm={() => onReplay(filter, count)}
          />
        )}
      </div>
    </li>
  );
}
