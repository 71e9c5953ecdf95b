"use client";

// Fetched with the first press on one of the buttons in `preferences.tsx`.
import { useLocale, useTranslations } from "use-intl";
import type { LazyMenuProps } from "@/components/ui/lazy";
import { Menu, MenuChoice } from "@/components/ui/menu";
import { LOCALE_NAMES, LOCALES } from "@/lib/i18n/locales";
import { THEMES, useTheme } from "@/lib/theme";
import { useLanguageSwitch } from "./preferences";

export function ThemeChoices(props: LazyMenuProps) {
  const t = useTranslations("shell");
  const [theme, choose] = useTheme();
  return (
    <Menu {...props}>
      {THEMES.map((each) => (
        <MenuChoice key={each} isChosen={each === theme} onSelect={() => choose(each)}>
          {t(`theme.${each}`)}
        </MenuChoice>
      ))}
    </Menu>
  );
}

export function LanguageChoices(props: LazyMenuProps) {
  const current = useLocale();
  const change = useLanguageSwitch();
  return (
    <Menu {...props}>
      {LOCALES.map((locale) => (
        <MenuChoice key={locale} lang={locale} isChosen={locale === current} onSelect={() => change(locale)}>
          {LOCALE_NAMES[locale]}
        </MenuChoice>
      ))}
    </Menu>
  );
}
