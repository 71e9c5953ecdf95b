"use client";

import { useEffect, useEffectEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input, Textarea } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { SEVERITIES } from "@/components/ui/severity";
import type { components } from "@/lib/api/schema";
import { useChannels } from "./channel-names";

type Sample = components["schemas"]["SampleEvent"];

const TEXTS = ["subject", "from", "to", "system", "category", "source"] as const;
const NOBODY = "0";

interface Typed extends Record<(typeof TEXTS)[number], string> {
  severity: (typeof SEVERITIES)[number];
  channel: string;
  labels: string;
}

const EMPTY: Typed = {
  subject: "",
  from: "",
  to: "",
  system: "",
  category: "",
  source: "",
  severity: "warning",
  channel: NOBODY,
  labels: "",
};

/** An alert that nobody sent; told on with each change, once anything is typed. */
export function SampleFields({ onChange }: { onChange: (sample: Sample) => void }) {
  const t = useTranslations("rules.tester");
  const m = useTranslations("match.fields");
  const severity = useTranslations("common.severity");
  const { channels, error, refetch } = useChannels();
  const [typed, setTyped] = useState(EMPTY);
  const set = (changes: Partial<Typed>) => setTyped((before) => ({ ...before, ...changes }));
  const tell = useEffectEvent(onChange);
  useEffect(() => {
    if (typed !== EMPTY) tell(sampleOf(typed));
  }, [typed]);
  return (
    <div className="grid gap-4 sm:grid-cols-2">
      {TEXTS.map((name) => (
        <Field key={name} label={m(name)}>
          {(wiring) => (
            <Input
              dir="auto"
              autoComplete="off"
              {...wiring}
              value={typed[name]}
              onChange={(event) => set({ [name]: event.target.value })}
            />
          )}
        </Field>
      ))}
      <Field label={m("severity")}>
        {(wiring) => (
          <Select
            {...wiring}
            options={SEVERITIES.map((value) => ({ value, label: severity(value) }))}
            value={typed.severity}
            onValueChange={(value) => set({ severity: SEVERITIES.find((each) => each === value) ?? "info" })}
          />
        )}
      </Field>
      <Field label={t("addressed")}>
        {(wiring) => (
          <Select
            {...wiring}
            options={[
              { value: NOBODY, label: t("notAddressed") },
              ...(channels ?? []).map(({ id, name }) => ({ value: String(id), label: name })),
            ]}
            value={typed.channel}
            onValueChange={(channel) => set({ channel })}
          />
        )}
      </Field>
      {!channels && error && (
        <div className="sm:col-span-2">
          <ErrorState error={error} isInline onRetry={() => void refetch()} />
        </div>
      )}
      <div className="sm:col-span-2">
        <Field label={t("labels")} hint={t("labelsHint")}>
          {(wiring) => (
            <Textarea
              dir="ltr"
              className="min-h-16 font-mono text-sm"
              placeholder="env=prod"
              {...wiring}
              value={typed.labels}
              onChange={(event) => set({ labels: event.target.value })}
            />
          )}
        </Field>
      </div>
    </div>
  );
}

function sampleOf(typed: Typed): Sample {
  const list = (text: string) => text.split(/[\s,;]+/).filter(Boolean);
  const pairs = typed.labels.split("\n").flatMap((line) => {
    const [name = "", ...value] = line.split("=");
    return name.trim() && value.length > 0 ? [[name.trim(), value.join("=").trim()] as const] : [];
  });
  return {
    subject: typed.subject,
    from: list(typed.from),
    to: list(typed.to),
    system: typed.system.trim(),
    category: typed.category.trim(),
    source: typed.source.trim() || null,
    severity: typed.severity,
    channel: typed.channel === NOBODY ? null : Number(typed.channel),
    labels: Object.fromEntries(pairs),
  };
}
