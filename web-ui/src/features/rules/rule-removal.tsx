"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { ErrorState } from "@/components/ui/error-state";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { bodyOfRule, type Rule } from "./rule-form";
import { WhatIfPanel } from "./what-if-panel";

/** Asks before a rule is deleted, and tells what would go elsewhere without it. */
export function RuleRemoval({ rule, rules, onClose }: { rule: Rule; rules: Rule[]; onClose: () => void }) {
  const t = useTranslations("rules.remove");
  const cache = useQueryClient();
  const remove = api.useMutation("delete", "/api/v1/rules/{id}", {
    onSuccess: async () => {
      await cache.invalidateQueries({ queryKey: ["get", "/api/v1/rules"] });
      toast(t("done", { name: rule.name }));
      onClose();
    },
  });
  const footer = (
    <>
      <Button onClick={onClose}>{t("cancel")}</Button>
      <Button
        variant="danger"
        isBusy={remove.isPending}
        onClick={() => remove.mutate({ params: { path: { id: rule.id } } })}
      >
        {t("action")}
      </Button>
    </>
  );
  return (
    <Dialog
      open
      onOpenChange={(open) => !open && onClose()}
      title={t.rich("title", { name: () => <bdi>{rule.name}</bdi> })}
      description={t("text")}
      footer={footer}
      className="sm:max-w-2xl"
    >
      <div className="grid gap-4">
        <WhatIfPanel
          rules={rules.filter(({ id }) => id !== rule.id).map(bodyOfRule)}
          intro={<p className="text-muted">{t("tryFirst")}</p>}
        />
        {remove.error && <ErrorState error={remove.error} isInline />}
      </div>
    </Dialog>
  );
}
