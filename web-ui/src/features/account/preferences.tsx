"use client";

import { useLocale, useTranslations } from "use-intl";
import { useLanguageSwitch } from "@/components/shell/preferences";
import { Card } from "@/components/ui/card";
import { Field } from "@/components/ui/field";
import { Select } from "@/components/ui/select";
import { isLocale, LOCALE_NAMES, LOCALES } from "@/lib/i18n/locales";
import { THEMES, useTheme } from "@/lib/theme";

/** Language and theme, kept in this browser. */
export function Preferences() {
  const t = useTranslations("account.looks");
  const shell = useTranslations("shell");
  const locale = useLocale();
  const changeLanguage = useLanguageSwitch();
  const [theme, chooseTheme] = useTheme();
  return (
    <Card title={t("title")}>
      <div className="grid gap-4 sm:grid-cols-2">
        <Field label={t("language")}>
          {(wiring) => (
            <Select
              {...wiring}
              value={locale}
              onValueChange={(next) => isLocale(next) && changeLanguage(next)}
              options={LOCALES.map((each) => ({ value: each, label: <span lang={each}>{LOCALE_NAMES[each]}</span> }))}
            />
          )}
        </Field>
        <Field label={t("theme")}>
          {(wiring) => (
            <Select
              {...wiring}
              value={theme}
              onValueChange={(next) => chooseTheme(THEMES.find((each) => each === next) ?? "system")}
              options={THEMES.map((each) => ({ value: each, label: shell(`theme.${each}`) }))}
            />
          )}
        </Field>
      </div>
      <p className="mt-3 text-muted text-sm">{t("hint")}</p>
    </Card>
  );
}
