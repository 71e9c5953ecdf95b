"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef, useState } from "react";
import { useTranslations } from "use-intl";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { moved, type Rule } from "./rule-form";

/** The rules in an order that is not saved yet. Those that the provisioning file keeps stay first. */
export function useRuleOrder(rules: Rule[]) {
  const t = useTranslations("rules.order");
  const cache = useQueryClient();
  const [draft, setDraft] = useState<number[]>();
  const [said, setSaid] = useState("");
  const focused = useRef<number>(undefined);
  const replace = api.useMutation("put", "/api/v1/rules/order");

  const kept = rules.filter(({ provisioned }) => provisioned);
  const own = rules.filter(({ provisioned }) => !provisioned);
  const before = own.map(({ id }) => id);
  // Somebody else's new rule comes last, a removed one is left out.
  const ids = draft
    ? [...draft.filter((id) => before.includes(id)), ...before.filter((id) => !draft.includes(id))]
    : before;
  const ordered = [...kept, ...ids.flatMap((id) => own.find((rule) => rule.id === id) ?? [])];

  // A row that is moved in the page loses the focus.
  useEffect(() => {
    if (focused.current !== undefined) document.getElementById(`handle-${focused.current}`)?.focus();
    focused.current = undefined;
  });

  const move = (rule: Rule, by: -1 | 1) => {
    const from = ids.indexOf(rule.id);
    const to = from + by;
    if (to < 0 || to >= ids.length) return;
    focused.current = rule.id;
    setDraft(moved(ids, from, to));
    setSaid(t("moved", { name: rule.name, place: kept.length + to + 1, total: rules.length }));
  };
  const save = async () => {
    const data = await replace.mutateAsync({ body: { ids } });
    cache.setQueryData(["get", "/api/v1/rules", {}], data);
    await cache.invalidateQueries({ queryKey: ["get", "/api/v1/rules"] });
    setDraft(undefined);
    toast(t("saved"));
  };
  return {
    ordered,
    ids,
    isChanged: ids.join() !== before.join(),
    /** For those who do not see it. */
    said,
    move,
    setOrder: setDraft,
    discard: () => setDraft(undefined),
    save,
    isSaving: replace.isPending,
    error: replace.error,
  };
}
