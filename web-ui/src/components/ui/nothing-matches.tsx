"use client";

import { SearchX } from "lucide-react";
import { useTranslations } from "use-intl";
import { Button } from "./button";
import { EmptyState } from "./empty-state";

/** There are some, but none that passes the filters. */
export function NothingMatches({ onClear }: { onClear: () => void }) {
  const t = useTranslations("common.filters");
  return (
    <EmptyState icon={SearchX} title={t("nothing")} action={<Button onClick={onClear}>{t("clear")}</Button>}>
      {t("nothingText")}
    </EmptyState>
  );
}
