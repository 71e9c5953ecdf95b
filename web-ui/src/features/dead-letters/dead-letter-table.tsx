"use client";

import { RotateCw } from "lucide-react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { Cut } from "@/components/ui/cut";
import { SeverityBadge } from "@/components/ui/severity";
import { SortTh, useSort } from "@/components/ui/sort";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { RelativeTime } from "@/components/ui/time";
import type { components } from "@/lib/api/schema";

export type DeadLetter = components["schemas"]["DeadLetterView"];

/** What a dead letter is called: by its alert where the job can be read. */
export function useLetterName(): (letter: DeadLetter) => string {
  const t = useTranslations("dead-letters");
  return ({ subject, queue }) => subject || t("unreadable", { queue: t(`queues.${queue}`) });
}

/** Where a dead letter was going: a channel, or the queue that it died in. */
export function useDestination(): (letter: Pick<DeadLetter, "channel" | "channel_name" | "queue">) => string {
  const t = useTranslations("dead-letters");
  return ({ channel, channel_name, queue }) =>
    channel_name ?? (channel ? t("gone", { id: String(channel) }) : t(`queues.${queue}`));
}

interface Props {
  letters: DeadLetter[];
  /** No more pages are to come. */
  isWhole: boolean;
  selected: ReadonlySet<string>;
  /** Without, nothing can be selected or replayed: the viewer may only look. */
  actions?: { onSelect: (ids: ReadonlySet<string>) => void; onReplay: (id: string) => void; isBusy: boolean };
  onOpen: (id: string) => void;
}

export function DeadLetterTable({ letters, isWhole, selected, actions, onOpen }: Props) {
  const t = useTranslations("dead-letters");
  const { sorted, sorting } = useSort(
    letters,
    {
      what: useLetterName(),
      reason: ({ reason }) => reason,
      channel: useDestination(),
      buried: ({ buried_at }) => buried_at,
    },
    isWhole,
  );
  const isAll = letters.every(({ id }) => selected.has(id));
  return (
    <Table>
      <thead>
        <Tr>
          {actions && (
            <Th className="w-10">
              <Checkbox
                aria-label={t("selectAll")}
                checked={isAll || (selected.size > 0 && "indeterminate")}
                onCheckedChange={() => actions.onSelect(new Set(isAll ? [] : letters.map(({ id }) => id)))}
              />
            </Th>
          )}
          <SortTh column="what" sorting={sorting} className="w-3/5">
            {t("columns.what")}
          </SortTh>
          <SortTh column="reason" sorting={sorting} className="w-2/5 max-md:hidden">
            {t("columns.reason")}
          </SortTh>
          <SortTh column="channel" sorting={sorting} className="max-sm:hidden">
            {t("columns.channel")}
          </SortTh>
          <SortTh column="buried" sorting={sorting} className="text-end">
            {t("columns.buried")}
          </SortTh>
          {actions && (
            <Th>
              <span className="sr-only">{t("replay")}</span>
            </Th>
          )}
        </Tr>
      </thead>
      <tbody>
        {sorted.map((letter) => (
          <Row key={letter.id} {...{ letter, selected, actions, onOpen }} />
        ))}
      </tbody>
    </Table>
  );
}

function Row({ letter, selected, actions, onOpen }: Omit<Props, "letters" | "isWhole"> & { letter: DeadLetter }) {
  const t = useTranslations("dead-letters");
  const name = useLetterName()(letter);
  const destination = useDestination()(letter);
  const { id, severity, reason, attempts, buried_at } = letter;
  const toggle = () => {
    const after = new Set(selected);
    if (!after.delete(id)) after.add(id);
    actions?.onSelect(after);
  };
  return (
    <Tr>
      {actions && (
        <Td>
          <Checkbox aria-label={t("select", { subject: name })} checked={selected.has(id)} onCheckedChange={toggle} />
        </Td>
      )}
      <Td className="max-w-0 py-2">
        <div className="flex min-w-0 items-center gap-2 max-sm:grid max-sm:gap-1">
          {severity && <SeverityBadge severity={severity} />}
          <button
            type="button"
            className="min-w-0 max-w-full text-start font-medium hover:underline"
            onClick={() => onOpen(id)}
          >
            <Cut>{name}</Cut>
          </button>
        </div>
        <p className="text-muted text-sm md:hidden">
          <Cut>{reason}</Cut>
        </p>
      </Td>
      <Td className="max-w-0 text-muted max-md:hidden">
        <Cut>{reason}</Cut>
      </Td>
      <Td className="max-w-40 max-sm:hidden">
        <Cut title={destination}>{destination}</Cut>
        {attempts > 0 && <span className="block text-muted text-xs">{t("attempts", { count: attempts })}</span>}
      </Td>
      <Td className="text-end text-muted">
        <RelativeTime at={buried_at} />
      </Td>
      {actions && (
        <Td className="text-end">
          <Button
            size="sm"
            disabled={actions.isBusy}
            onClick={() => actions.onReplay(id)}
            aria-label={`${t("replay")}: ${name}`}
          >
            <RotateCw aria-hidden />
            <span className="max-sm:hidden">{t("replay")}</span>
          </Button>
        </Td>
      )}
    </Tr>
  );
}
