"use client";

import { Languages, Monitor, Moon, Sun } from "lucide-react";
import { usePathname } from "next/navigation";
import { lazy } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { LazyMenu } from "@/components/ui/lazy";
import { type Locale, pathIn, rememberLocale } from "@/lib/i18n/locales";
import { useTheme } from "@/lib/theme";

const menus = () => import("./preference-menus");
const ThemeChoices = lazy(() => menus().then((module) => ({ default: module.ThemeChoices })));
const LanguageChoices = lazy(() => menus().then((module) => ({ default: module.LanguageChoices })));

const THEME_ICONS = { system: Monitor, light: Sun, dark: Moon };

export function ThemeMenu() {
  const t = useTranslations("shell");
  const [theme] = useTheme();
  const Icon = THEME_ICONS[theme];
  const trigger = (
    <Button variant="ghost" size="icon" aria-label={t("theme.label")}>
      <Icon aria-hidden />
    </Button>
  );
  return <LazyMenu trigger={trigger} menu={ThemeChoices} />;
}

export function LanguageMenu() {
  const t = useTranslations("shell");
  const trigger = (
    <Button variant="ghost" size="icon" aria-label={t("language")}>
      <Languages aria-hidden />
    </Button>
  );
  return <LazyMenu trigger={trigger} menu={LanguageChoices} />;
}

/** The same place in another language. The whole page is loaded again: its direction and its words all change. */
export function useLanguageSwitch(): (locale: Locale) => void {
  const path = usePathname();
  return (locale) => {
    rememberLocale(locale);
    window.location.assign(pathIn(locale, path) + window.location.search);
  };
}
