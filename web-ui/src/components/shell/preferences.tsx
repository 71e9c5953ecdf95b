"use client";

import { Languages, Monitor, Moon, Sun } from "lucide-react";
import { usePathname } from "next/navigation";
import { useLocale, useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Menu, MenuChoice } from "@/components/ui/menu";
import { LOCALE_NAMES, LOCALES, type Locale, pathIn, rememberLocale } from "@/lib/i18n/locales";
import { THEMES, useTheme } from "@/lib/theme";

const THEME_ICONS = { system: Monitor, light: Sun, dark: Moon };

export function ThemeMenu() {
  const t = useTranslations("shell");
  const [theme, choose] = useTheme();
  const Icon = THEME_ICONS[theme];
  return (
    <Menu
      trigger={
        <Button variant="ghost" size="icon" aria-label={t("theme.label")}>
          <Icon aria-hidden />
        </Button>
      }
    >
      {THEMES.map((each) => (
        <MenuChoice key={each} isChosen={each === theme} onSelect={() => choose(each)}>
          {t(`theme.${each}`)}
        </MenuChoice>
      ))}
    </Menu>
  );
}

/** The same place in another language. The whole page is loaded again: its direction and its words all change. */
export function useLanguageSwitch(): (locale: Locale) => void {
  const path = usePathname();
  return (locale) => {
    rememberLocale(locale);
    window.location.assign(pathIn(locale, path) + window.location.search);
  };
}

export function LanguageMenu() {
  const t = useTranslations("shell");
  const current = useLocale();
  const change = useLanguageSwitch();
  return (
    <Menu
      trigger={
        <Button variant="ghost" size="icon" aria-label={t("language")}>
          <Languages aria-hidden />
        </Button>
      }
    >
      {LOCALES.map((locale) => (
        <MenuChoice key={locale} lang={locale} isChosen={locale === current} onSelect={() => change(locale)}>
          {LOCALE_NAMES[locale]}
        </MenuChoice>
      ))}
    </Menu>
  );
}
