"use client";

import { useQueryClient } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Drawer } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { bodyOfRule, type Rule } from "./rule-form";
import { RuleRow } from "./rule-row";
import { useDragOrder } from "./use-drag-order";
import { useRuleOrder } from "./use-rule-order";

// Fetched when they are first opened.
const RuleRemoval = dynamic(() => import("./rule-removal").then((module) => module.RuleRemoval), {
  loading: () => null,
});
const WhatIfPanel = dynamic(() => import("./what-if-panel").then((module) => module.WhatIfPanel), {
  loading: () => null,
});

/** The rules in their order. Another order is a draft until it is saved, and can be tried before. */
export function RuleList({
  rules,
  mayEdit,
  onEdit,
  onCopy,
}: {
  rules: Rule[];
  mayEdit: boolean;
  onEdit: (rule: Rule) => void;
  onCopy: (rule: Rule) => void;
}) {
  const t = useTranslations("rules");
  const [removed, setRemoved] = useState<Rule>();
  const order = useRuleOrder(rules);
  const drag = useDragOrder(order.ids, order.setOrder);
  const toggle = useToggle();
  const actions = { edit: onEdit, copy: onCopy, remove: setRemoved, toggle, move: order.move };
  return (
    <>
      <p className="mb-2 text-muted text-sm">{t("orderHint")}</p>
      <ol ref={drag.list} className="divide-y divide-line overflow-hidden rounded-lg border bg-surface">
        {order.ordered.map((rule, index) => (
          <RuleRow
            key={rule.id}
            rule={rule}
            place={index + 1}
            mayEdit={mayEdit}
            isDragged={drag.dragged === rule.id}
            onDrag={drag.start(rule.id)}
            actions={actions}
          />
        ))}
      </ol>
      <p aria-live="polite" className="sr-only">
        {order.said}
      </p>
      {order.isChanged && <OrderBar order={order} />}
      {removed && <RuleRemoval rule={removed} rules={rules} onClose={() => setRemoved(undefined)} />}
    </>
  );
}

function useToggle() {
  const t = useTranslations("rules");
  const cache = useQueryClient();
  const enable = api.useMutation("post", "/api/v1/rules/{id}/enable");
  const disable = api.useMutation("post", "/api/v1/rules/{id}/disable");
  return (rule: Rule, enabled: boolean) => {
    const change = enabled ? enable : disable;
    change.mutate(
      { params: { path: { id: rule.id } } },
      {
        onSuccess: () => toast(enabled ? t("enabled", { name: rule.name }) : t("disabled", { name: rule.name })),
        onError: (error) => toast.error(t("toggleFailed", { name: rule.name, why: String(error) })),
        onSettled: () => cache.invalidateQueries({ queryKey: ["get", "/api/v1/rules"] }),
      },
    );
  };
}

/** Stays in view while the order is not saved. */
function OrderBar({ order }: { order: ReturnType<typeof useRuleOrder> }) {
  const t = useTranslations("rules.order");
  const [isTried, setTried] = useState(false);
  return (
    <div className="sticky bottom-4 z-10 mt-3 grid gap-3 rounded-lg border bg-surface p-3 shadow-floating">
      <div className="flex flex-wrap items-center gap-2">
        <p className="me-auto font-medium">{t("changed")}</p>
        <Button onClick={() => setTried(true)}>{t("whatIf")}</Button>
        <Button onClick={order.discard}>{t("discard")}</Button>
        <Button variant="primary" isBusy={order.isSaving} onClick={() => void order.save().catch(() => undefined)}>
          {t("save")}
        </Button>
      </div>
      {order.error && <ErrorState error={order.error} isInline />}
      <Drawer open={isTried} onOpenChange={setTried} title={t("whatIf")}>
        <WhatIfPanel rules={order.ordered.map(bodyOfRule)} />
      </Drawer>
    </div>
  );
}
