"use client";

import { Lock, Undo2, X } from "lucide-react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Field } from "@/components/ui/field";
import { Input, Textarea } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import type { Field as Described, Typed } from "@/lib/platform-fields";

/** The value of a choice that leaves it to the server. */
const UNSET = "unset";

/** The words for a field in the viewer's language, or the server's where there are none. */
export function useFieldWords() {
  const t = useTranslations("connect");
  return (platform: string, field: Described) => {
    const keys = [`${platform}_${field.name}`, field.name];
    const key = keys.find((each) => t.has(`labels.${each}` as "labels.language"));
    return key ? t(`labels.${key}` as "labels.language") : field.label;
  };
}

/** What a field is for, in the same way. Not a message with placeholders: what stands in braces is meant so. */
function useFieldHelp() {
  const t = useTranslations("connect");
  return (platform: string, field: Described): { text: string; isOurs: boolean } => {
    const keys = [`${platform}_${field.name}`, field.name];
    const key = keys.find((each) => t.has(`helps.${each}` as "helps.language"));
    return key
      ? { text: t.raw(`helps.${key}` as "helps.language"), isOurs: true }
      : { text: field.help, isOurs: false };
  };
}

/** Fields as the server describes them for a platform. */
export function PlatformFields({
  platform,
  fields,
  values,
  onChange,
  stored,
  prefix = "",
  error,
}: {
  platform: string;
  fields: Described[];
  values: Record<string, Typed>;
  onChange: (name: string, value: Typed) => void;
  /** What is known of a secret that is already there: its last characters, or nothing but that. */
  stored?: (name: string) => string | undefined;
  /** What stands before the name where the server names the field. */
  prefix?: string;
  error?: { field: string; why: string };
}) {
  const t = useTranslations("connect");
  const wordsOf = useFieldWords();
  const helpOf = useFieldHelp();
  return fields.map((field) => {
    const isStored = field.secret ? stored?.(field.name) : undefined;
    const isGoing = isStored !== undefined && values[field.name] === null;
    const kept = isStored !== undefined && (isGoing ? t("secret.going") : t("secret.kept"));
    const words = wordsOf(platform, field);
    const label = (
      <>
        {words}
        {field.secret && <Lock className="ms-1.5 inline size-3 text-muted" aria-label={t("secret.mark")} role="img" />}
        {!field.required && <span className="font-normal text-muted"> · {t("optional")}</span>}
      </>
    );
    const hint = (
      <>
        {kept && <span className="block text-ink">{kept}</span>}
        <Help {...helpOf(platform, field)} />
      </>
    );
    const named = [field.name, `${prefix}${field.name}`];
    const said = error && named.includes(error.field) && <bdi>{error.why}</bdi>;
    return (
      <Field key={field.name} label={label} hint={hint} error={said || undefined}>
        {(wiring) => (
          <div className="flex gap-2">
            <div className="min-w-0 flex-1">
              <Control
                wiring={wiring}
                field={field}
                value={values[field.name] ?? ""}
                onChange={(value) => onChange(field.name, value)}
                placeholder={isStored === undefined || isGoing ? undefined : `••••••••${isStored}`}
              />
            </div>
            {isStored !== undefined && !field.required && (
              <Button
                aria-label={isGoing ? t("secret.keep", { name: words }) : t("secret.remove", { name: words })}
                onClick={() => onChange(field.name, isGoing ? "" : null)}
              >
                {isGoing ? <Undo2 aria-hidden /> : <X aria-hidden />}
              </Button>
            )}
          </div>
        )}
      </Field>
    );
  });
}

/** Help in which machine text stands between backticks. */
function Help({ text, isOurs }: { text: string; isOurs: boolean }) {
  return (
    <bdi lang={isOurs ? undefined : "en"}>
      {text.split("`").map((part, index) =>
        index % 2 === 1 ? (
          // biome-ignore lint/suspicious/noArrayIndexKey: the parts of one text never move
          <code key={index} dir="ltr" className="rounded-sm bg-sunken px-1 font-mono text-xs text-ink">
            {part}
          </code>
        ) : (
          part
        ),
      )}
    </bdi>
  );
}

interface ControlProps {
  wiring: { id: string; "aria-describedby": string | undefined; "aria-invalid": boolean | undefined };
  field: Described;
  value: string;
  onChange: (value: string) => void;
  placeholder: string | undefined;
}

function Control({ wiring, field, value, onChange, placeholder }: ControlProps) {
  const t = useTranslations("connect");
  const kind = field.input;
  if ((kind === "choice" || kind === "switch") && !field.secret) {
    const choices =
      kind === "switch"
        ? ["true", "false"].map((value) => ({ value, label: value === "true" ? t("yes") : t("no") }))
        : field.choices.map((value) => ({ value, label: <bdi>{value}</bdi> }));
    const options = field.required ? choices : [{ value: UNSET, label: t("unset") }, ...choices];
    return (
      <Select
        {...wiring}
        options={options}
        placeholder={t("choose")}
        value={value || (field.required ? "" : UNSET)}
        onValueChange={(chosen) => onChange(chosen === UNSET ? "" : chosen)}
      />
    );
  }
  const shared = { ...wiring, dir: "ltr", value, spellCheck: false, autoComplete: "off", placeholder } as const;
  if (!field.secret && (kind === "lines" || kind === "headers" || kind === "json")) {
    const example = kind === "headers" ? "X-Team: storage" : undefined;
    return (
      <Textarea
        {...shared}
        placeholder={example}
        className="font-mono text-sm"
        onChange={(event) => onChange(event.target.value)}
      />
    );
  }
  return (
    <Input
      {...shared}
      // Not "off": browsers ignore that for passwords and would fill in the viewer's own.
      autoComplete={field.secret ? "new-password" : "off"}
      type={field.secret ? "password" : "text"}
      inputMode={kind === "number" ? "numeric" : undefined}
      onChange={(event) => onChange(event.target.value)}
    />
  );
}
