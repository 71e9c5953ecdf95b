"use client";

import { ArrowDown, ArrowUp, Plus, Trash2 } from "lucide-react";
import { useId } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Checkbox } from "@/components/ui/checkbox";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Link } from "@/components/ui/link";
import { Select } from "@/components/ui/select";
import { api } from "@/lib/api/client";
import type { UseDraft } from "./channel";

/** The templates of a channel in the order in which their conditions are tried. */
export function TemplateUses({
  uses,
  onChange,
  error,
}: {
  uses: UseDraft[];
  onChange: (uses: UseDraft[]) => void;
  error?: { field: string; why: string };
}) {
  const t = useTranslations("channels.uses");
  const templates = api.useQuery("get", "/api/v1/templates");
  const known = templates.data?.items ?? [];
  const options = known.map((template) => ({ value: String(template.id), label: <bdi>{template.name}</bdi> }));
  const add = () => {
    const isFirst = uses.length === 0;
    const template = known[0] ? String(known[0].id) : "";
    onChange([...uses, { key: crypto.randomUUID(), template, condition: "", isDefault: isFirst }]);
  };
  const change = (at: number, changes: Partial<UseDraft>) =>
    onChange(
      uses.map((use, index) => {
        if (index === at) return { ...use, ...changes };
        return changes.isDefault ? { ...use, isDefault: false } : use;
      }),
    );
  const move = (from: number, to: number) => {
    const next = [...uses];
    next.splice(to, 0, ...next.splice(from, 1));
    onChange(next);
  };

  return (
    <div className="grid gap-3">
      <p className="text-muted">{t("text")}</p>
      <ol className="grid gap-3">
        {uses.map((use, index) => (
          <li key={use.key} className="rounded-md border p-3">
            <UseRow
              use={use}
              number={index + 1}
              options={options}
              onChange={(changes) => change(index, changes)}
              onUp={index > 0 ? () => move(index, index - 1) : undefined}
              onDown={index < uses.length - 1 ? () => move(index, index + 1) : undefined}
              onRemove={() => onChange(uses.filter((other) => other.key !== use.key))}
              error={error?.field.startsWith(`templates[${index}]`) ? error.why : undefined}
            />
          </li>
        ))}
      </ol>
      {templates.error && !templates.data ? (
        <ErrorState error={templates.error} isInline onRetry={() => void templates.refetch()} />
      ) : templates.data && known.length === 0 ? (
        <p>
          <Link href="/templates/?new=1" className="font-medium text-accent hover:underline">
            {t("create")}
          </Link>
        </p>
      ) : (
        <Button size="sm" className="justify-self-start" onClick={add} disabled={known.length === 0}>
          <Plus aria-hidden />
          {t("add")}
        </Button>
      )}
    </div>
  );
}

interface RowProps {
  use: UseDraft;
  number: number;
  options: { value: string; label: React.ReactNode }[];
  onChange: (changes: Partial<UseDraft>) => void;
  onUp: (() => void) | undefined;
  onDown: (() => void) | undefined;
  onRemove: () => void;
  error: string | undefined;
}

function UseRow({ use, number, options, onChange, onUp, onDown, onRemove, error }: RowProps) {
  const t = useTranslations("channels.uses");
  const defaultId = useId();
  const isNever = !use.condition.trim() && !use.isDefault;
  return (
    <div className="grid gap-3">
      <div className="grid gap-3 sm:grid-cols-2">
        <Field label={t("template", { number })}>
          {(wiring) => (
            <Select
              {...wiring}
              options={options}
              value={use.template}
              onValueChange={(template) => onChange({ template })}
            />
          )}
        </Field>
        <Field
          label={t("when")}
          hint={t.rich("whenHint", { code: (example) => <bdi className="font-mono text-xs">{example}</bdi> })}
          error={(error && <bdi>{error}</bdi>) || (isNever && t("never"))}
        >
          {(wiring) => (
            <Input
              {...wiring}
              dir="ltr"
              spellCheck={false}
              className="font-mono text-sm"
              placeholder="severity eq critical"
              value={use.condition}
              onChange={(event) => onChange({ condition: event.target.value })}
            />
          )}
        </Field>
      </div>
      <div className="flex flex-wrap items-center gap-2">
        <Checkbox
          id={defaultId}
          checked={use.isDefault}
          onCheckedChange={(checked) => onChange({ isDefault: checked === true })}
        />
        <label htmlFor={defaultId} className="me-auto">
          {t("default")}
        </label>
        <Button variant="ghost" size="icon" aria-label={t("up", { number })} disabled={!onUp} onClick={onUp}>
          <ArrowUp aria-hidden />
        </Button>
        <Button variant="ghost" size="icon" aria-label={t("down", { number })} disabled={!onDown} onClick={onDown}>
          <ArrowDown aria-hidden />
        </Button>
        <Button variant="ghost" size="icon" aria-label={t("remove", { number })} onClick={onRemove}>
          <Trash2 aria-hidden />
        </Button>
      </div>
    </div>
  );
}
