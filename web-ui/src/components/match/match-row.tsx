"use client";

import { useQueryClient } from "@tanstack/react-query";
import { type LucideIcon, Pencil } from "lucide-react";
import type { ReactNode } from "react";
import { Button } from "@/components/ui/button";
import { Confirm } from "@/components/ui/confirm";
import { ProvisionedMark } from "@/components/ui/provisioned";
import { toast } from "@/components/ui/toast";
import type { components, paths } from "@/lib/api/schema";
import { HiddenNote } from "./hidden-note";
import type { Match } from "./match-form";
import { MatchSummary } from "./match-summary";

/** A row of a list of conditions: what they hit and why, since or until when, and what can be done about it. */
export function MatchRow({
  match,
  note,
  hidden,
  time,
  provisioned,
  children,
}: {
  match: Match;
  /** Why, and by whom. */
  note: ReactNode;
  /** How much they kept back. */
  hidden: components["schemas"]["HiddenView"];
  time: ReactNode;
  provisioned: boolean;
  /** The buttons. */
  children: ReactNode;
}) {
  return (
    <li className="flex flex-wrap items-center gap-x-6 gap-y-2 px-4 py-3">
      <div className="grid min-w-0 flex-1 basis-72 gap-1">
        <MatchSummary match={match} />
        <p className="text-muted text-sm empty:hidden">{note}</p>
        <HiddenNote hidden={hidden} />
      </div>
      {time}
      <div className="ms-auto flex min-w-20 items-center justify-end gap-1">
        {provisioned && <ProvisionedMark />}
        {children}
      </div>
    </li>
  );
}

/** Why it is there and who made it. */
export function MatchNote({ comment, by }: { comment: string; by?: ReactNode }) {
  return (
    <>
      {comment && <bdi className="text-ink">{comment}</bdi>}
      {comment && by && " · "}
      {by}
    </>
  );
}

export function EditMatch({ label, onEdit }: { label: string; onEdit: () => void }) {
  return (
    <Button variant="ghost" size="icon" aria-label={label} onClick={onEdit}>
      <Pencil aria-hidden />
    </Button>
  );
}

/** Takes conditions away after showing them and saying what will happen then. */
export function RemoveMatch({
  match,
  icon: Icon,
  words,
  path,
  onRemove,
}: {
  match: Match;
  icon: LucideIcon;
  words: { action: string; title: string; text: string; done: string };
  /** Where all of them are fetched from. */
  path: keyof paths;
  onRemove: () => Promise<unknown>;
}) {
  const cache = useQueryClient();
  const confirm = async () => {
    await onRemove();
    await cache.invalidateQueries({ queryKey: ["get", path] });
    toast(words.done);
  };
  const trigger = (
    <Button variant="ghost" size="icon" aria-label={words.action}>
      <Icon aria-hidden />
    </Button>
  );
  return (
    <Confirm trigger={trigger} title={words.title} action={words.action} onConfirm={confirm}>
      <div className="grid gap-2">
        <MatchSummary match={match} />
        <p>{words.text}</p>
      </div>
    </Confirm>
  );
}
