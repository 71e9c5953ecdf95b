"use client";

import { CircleCheck, Unplug } from "lucide-react";
import { useState } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { useDrill } from "@/components/connect/use-drill";
import { Button } from "@/components/ui/button";
import { Card } from "@/components/ui/card";
import { AttemptList, DeliveryBadge } from "@/components/ui/delivery";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import { api } from "@/lib/api/client";
import type { components } from "@/lib/api/schema";
import { useSample } from "./latest-event";

type Channel = components["schemas"]["ChannelView"];

const AGAIN_MS = 1_000;

/** What happens when a destination is down, played through: attempts, the dead letter, and how it arrives after all. */
export function Drill({ channels }: { channels: Channel[] }) {
  const t = useTranslations("welcome.drill");
  const [chosen, setChosen] = useState<string>();
  const [event, setEvent] = useState<string>();
  const channel = channels.find(({ id }) => String(id) === chosen) ?? channels[0];
  if (!channel) return null;
  return (
    <Card title={t("title")}>
      <p className="text-muted">{t("text")}</p>
      <div className="mt-4 grid gap-4">
        {channels.length > 1 && !channel.drill_until && (
          <Field label={t("channel")}>
            {(wiring) => (
              <Select
                {...wiring}
                className="max-w-xs"
                value={String(channel.id)}
                onValueChange={setChosen}
                options={channels.map(({ id, name }) => ({ value: String(id), label: <bdi>{name}</bdi> }))}
              />
            )}
          </Field>
        )}
        <Switch channel={channel} onSent={setEvent} />
        {event && <Course channel={channel} event={event} />}
      </div>
    </Card>
  );
}

/** Begins a drill with an alert for it, or ends it. */
function Switch({ channel, onSent }: { channel: Channel; onSent: (event: string | undefined) => void }) {
  const t = useTranslations("welcome.drill");
  const format = useFormatter();
  const drill = useDrill(channel.id);
  const sample = useSample(channel.push_token ?? undefined);
  const begin = async () => {
    await drill.begin();
    onSent(await sample.send(t("sampleTitle"), t("sampleText")));
  };
  const until = channel.drill_until && format.dateTime(new Date(channel.drill_until), { timeStyle: "short" });
  return (
    <div className="grid gap-3">
      <div className="flex flex-wrap items-center gap-3">
        {until ? (
          <>
            <p className="flex items-center gap-2 text-warning">
              <Unplug className="size-4 shrink-0" aria-hidden />
              <span>{t.rich("isDown", { name: () => <bdi>{channel.name}</bdi>, until })}</span>
            </p>
            <Button variant="primary" isBusy={drill.isBusy} onClick={() => void drill.end().catch(() => undefined)}>
              {t("end")}
            </Button>
          </>
        ) : (
          <Button isBusy={drill.isBusy || sample.isBusy} onClick={() => void begin().catch(() => undefined)}>
            <Unplug aria-hidden />
            {t.rich("begin", { name: () => <bdi>{channel.name}</bdi> })}
          </Button>
        )}
      </div>
      {[drill.error, sample.error].map(
        (error, index) =>
          // biome-ignore lint/suspicious/noArrayIndexKey: two places, which never move
          error !== undefined && <ErrorState key={index} error={error} isInline />,
      )}
    </div>
  );
}

/** What becomes of the alert that was sent for the drill. */
function Course({ channel, event }: { channel: Channel; event: string }) {
  const t = useTranslations("welcome.drill");
  const again = { refetchInterval: AGAIN_MS, staleTime: 0 };
  const latest = api.useQuery("get", "/api/v1/events", { params: { query: { limit: 50 } } }, again);
  // It is there a moment after it was sent.
  const isThere = latest.data?.items.some(({ id }) => id === event) === true;
  const params = { path: { id: event } };
  const detail = api.useQuery("get", "/api/v1/events/{id}", { params }, { ...again, enabled: isThere });
  const delivery = detail.data?.deliveries.find((each) => each.channel === channel.id);
  if (!delivery) return <p className="text-muted">{t("underway")}</p>;
  const { state, tries } = delivery;
  return (
    <div className="grid gap-3 border-t pt-4">
      <p aria-live="polite" className="flex flex-wrap items-center gap-2">
        <DeliveryBadge state={state} />
        {state === "failed" && (channel.drill_until ? t("retrying") : t("next"))}
        {state === "dead" && t("dead")}
        {state === "delivered" && (
          <span className="flex items-center gap-1.5 text-success">
            <CircleCheck className="size-4" aria-hidden />
            {t("arrived")}
          </span>
        )}
      </p>
      {state === "dead" && !channel.drill_until && <Replay delivery={delivery.id} channel={channel.id} />}
      <AttemptList tries={tries} />
    </div>
  );
}

/** Sends the dead letter once more. */
function Replay({ delivery, channel }: { delivery: string; channel: number }) {
  const t = useTranslations("welcome.drill");
  const letters = api.useQuery(
    "get",
    "/api/v1/dead-letters",
    { params: { query: { channel } } },
    { refetchInterval: AGAIN_MS, staleTime: 0 },
  );
  const replay = api.useMutation("post", "/api/v1/dead-letters/{id}/replay");
  const letter = letters.data?.items.find((each) => each.delivery === delivery);
  if (!letter) return null;
  return (
    <div className="grid justify-items-start gap-3">
      <Button
        variant="primary"
        isBusy={replay.isPending}
        onClick={() => replay.mutate({ params: { path: { id: letter.id } } })}
      >
        {t("replay")}
      </Button>
      {replay.error && <ErrorState error={replay.error} isInline />}
    </div>
  );
}
