"use client";

import {
  ArrowDown,
  ArrowUp,
  Copy,
  CornerDownRight,
  GripVertical,
  MoreVertical,
  Pencil,
  Siren,
  Trash2,
} from "lucide-react";
import type { KeyboardEvent, PointerEvent, ReactNode } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { MatchSummary } from "@/components/match/match-summary";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Cut } from "@/components/ui/cut";
import { Menu, MenuItem, MenuSeparator } from "@/components/ui/menu";
import { ProvisionedMark } from "@/components/ui/provisioned";
import { SeverityBadge } from "@/components/ui/severity";
import { Switch } from "@/components/ui/switch";
import { cn } from "@/lib/cn";
import { useSpan } from "@/lib/use-span";
import { ChannelNames } from "./channel-names";
import type { Rule } from "./rule-form";
import { RuleHours } from "./rule-hours";

export interface RuleActions {
  edit: (rule: Rule) => void;
  copy: (rule: Rule) => void;
  remove: (rule: Rule) => void;
  toggle: (rule: Rule, enabled: boolean) => void;
  move: (rule: Rule, by: -1 | 1) => void;
}

/** A rule in the list: its place, when it matches, and what it then does. */
export function RuleRow({
  rule,
  place,
  mayEdit,
  isDragged,
  onDrag,
  actions,
}: {
  rule: Rule;
  /** From 1. */
  place: number;
  mayEdit: boolean;
  isDragged: boolean;
  onDrag: (event: PointerEvent) => void;
  actions: RuleActions;
}) {
  const t = useTranslations("rules");
  const format = useFormatter();
  const isMovable = mayEdit && !rule.provisioned;
  return (
    <li
      data-drag-id={rule.provisioned ? undefined : rule.id}
      className={cn("flex items-start gap-2 bg-surface py-3 ps-2 pe-3", isDragged && "bg-accent-soft shadow-floating")}
    >
      {isMovable && <Handle rule={rule} onDrag={onDrag} move={actions.move} />}
      <span className="grid h-9 w-6 shrink-0 place-items-center text-muted tabular-nums">{format.number(place)}</span>
      <div className="grid min-w-0 flex-1 grid-cols-1 gap-1.5 lg:grid-cols-[minmax(0,5fr)_minmax(0,4fr)] lg:gap-x-6">
        <div className="grid min-w-0 content-start gap-1.5">
          <p className="flex min-h-9 min-w-0 flex-wrap items-center gap-2">
            <button
              type="button"
              onClick={() => actions.edit(rule)}
              className="min-w-0 text-start font-medium hover:underline"
            >
              <Cut>{rule.name}</Cut>
            </button>
            {!rule.enabled && <Badge>{t("off")}</Badge>}
          </p>
          <MatchSummary match={rule.match} />
          {rule.active && <RuleHours active={rule.active} />}
        </div>
        <RuleEffects rule={rule} />
      </div>
      {mayEdit && !rule.provisioned && (
        <Switch
          className="mt-2"
          checked={rule.enabled}
          onCheckedChange={(enabled) => actions.toggle(rule, enabled)}
          aria-label={t("enabledOf", { name: rule.name })}
        />
      )}
      {rule.provisioned ? <ProvisionedMark /> : mayEdit && <RuleMenu rule={rule} actions={actions} />}
    </li>
  );
}

function RuleEffects({ rule }: { rule: Rule }) {
  const t = useTranslations("rules");
  const span = useSpan();
  return (
    <div className="grid min-w-0 grid-cols-1 content-start gap-1.5">
      <div className="flex min-h-9 items-center">
        <ChannelNames ids={rule.channels} none={t("noChannels")} />
      </div>
      {rule.escalate && (
        <Effect icon={<Siren className="text-critical" aria-hidden />}>
          {t("escalatesFrom")} <SeverityBadge severity={rule.escalate.severity_at_least} />
          <ChannelNames ids={rule.escalate.channels} none={t("noChannels")} />
        </Effect>
      )}
      {rule.set_severity && (
        <Effect>
          {t("setsSeverity")} <SeverityBadge severity={rule.set_severity} />
        </Effect>
      )}
      {rule.ai_max_wait && <Effect>{t("waits", { wait: span(rule.ai_max_wait) })}</Effect>}
      {rule.continue && (
        <Effect icon={<CornerDownRight className="rtl:-scale-x-100" aria-hidden />}>{t("goesOn")}</Effect>
      )}
    </div>
  );
}

function Effect({ icon, children }: { icon?: ReactNode; children: ReactNode }) {
  return (
    <div className="flex items-baseline gap-1.5 text-muted text-sm [&>svg]:size-3.5 [&>svg]:shrink-0 [&>svg]:self-start [&>svg]:translate-y-0.5">
      {icon}
      <span className="flex min-w-0 flex-wrap items-center gap-1.5">{children}</span>
    </div>
  );
}

/** Dragged with the pointer; with the arrow keys the rule moves by one place. A phone has the menu for that. */
function Handle({
  rule,
  onDrag,
  move,
}: {
  rule: Rule;
  onDrag: (event: PointerEvent) => void;
  move: RuleActions["move"];
}) {
  const t = useTranslations("rules");
  const onKeyDown = (event: KeyboardEvent) => {
    if (event.key !== "ArrowUp" && event.key !== "ArrowDown") return;
    event.preventDefault();
    move(rule, event.key === "ArrowUp" ? -1 : 1);
  };
  return (
    <button
      type="button"
      id={`handle-${rule.id}`}
      aria-label={t("moveHandle", { name: rule.name })}
      onPointerDown={onDrag}
      onKeyDown={onKeyDown}
      className="grid h-9 w-6 shrink-0 cursor-grab touch-none max-sm:hidden place-items-center rounded-sm text-muted hover:bg-hover active:cursor-grabbing"
    >
      <GripVertical className="size-4" aria-hidden />
    </button>
  );
}

function RuleMenu({ rule, actions }: { rule: Rule; actions: RuleActions }) {
  const t = useTranslations("rules");
  const trigger = (
    <Button variant="ghost" size="icon" aria-label={t("menu.open", { name: rule.name })}>
      <MoreVertical aria-hidden />
    </Button>
  );
  return (
    <Menu trigger={trigger}>
      <MenuItem onSelect={() => actions.edit(rule)}>
        <Pencil aria-hidden />
        {t("menu.edit")}
      </MenuItem>
      <MenuItem onSelect={() => actions.copy(rule)}>
        <Copy aria-hidden />
        {t("menu.copy")}
      </MenuItem>
      <MenuItem onSelect={() => actions.move(rule, -1)}>
        <ArrowUp aria-hidden />
        {t("menu.up")}
      </MenuItem>
      <MenuItem onSelect={() => actions.move(rule, 1)}>
        <ArrowDown aria-hidden />
        {t("menu.down")}
      </MenuItem>
      <MenuSeparator />
      <MenuItem onSelect={() => actions.remove(rule)} className="text-critical [&_svg]:text-critical">
        <Trash2 aria-hidden />
        {t("menu.remove")}
      </MenuItem>
    </Menu>
  );
}
