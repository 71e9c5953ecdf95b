"use client";

import { EyeOff } from "lucide-react";
import { useFormatter, useTranslations } from "use-intl";
import { RelativeTime } from "@/components/ui/time";
import { Tooltip } from "@/components/ui/tooltip";
import type { components } from "@/lib/api/schema";

type Hidden = components["schemas"]["HiddenView"];

/** How much a mute or a silence kept back, when, and when last. */
export function HiddenNote({ hidden }: { hidden: Hidden }) {
  const t = useTranslations("match.hidden");
  const { count, last_at, parts } = hidden;
  return (
    <div className="flex flex-wrap items-center gap-x-3 gap-y-1 text-muted text-sm">
      <span className="flex items-center gap-1.5">
        <EyeOff className="size-3.5 shrink-0" aria-hidden />
        <span>
          {t("count", { count })}
          {last_at && t.rich("last", { time: () => <RelativeTime at={last_at} /> })}
        </span>
      </span>
      {parts.some((part) => part > 0) && <Bars hidden={hidden} />}
    </div>
  );
}

const HEIGHT = 16;
const BAR = 3;
const STEP = 4;

/** A bar for each part of its time; the words say from when to when. */
function Bars({ hidden: { from, until, parts } }: { hidden: Hidden }) {
  const t = useTranslations("match.hidden");
  const format = useFormatter();
  const most = Math.max(...parts);
  const moment = (at: string) => format.dateTime(new Date(at), { dateStyle: "medium", timeStyle: "short" });
  const words = t("spread", { from: moment(from), until: moment(until), most });
  return (
    <Tooltip text={words}>
      <svg
        role="img"
        aria-label={words}
        width={parts.length * STEP}
        height={HEIGHT}
        className="shrink-0 fill-accent"
        shapeRendering="crispEdges"
      >
        {parts.map((part, index) => {
          // What is little is still seen.
          const height = part > 0 ? Math.max(Math.round((part / most) * HEIGHT), 3) : 1;
          return (
            <rect
              // biome-ignore lint/suspicious/noArrayIndexKey: the parts never move
              key={index}
              x={index * STEP}
              y={HEIGHT - height}
              width={BAR}
              height={height}
              className={part > 0 ? undefined : "fill-line-strong"}
            />
          );
        })}
      </svg>
    </Tooltip>
  );
}
