"use client";

import { Command } from "cmdk";
import { Compass, Keyboard, Languages, LogOut, type LucideIcon, SunMoon } from "lucide-react";
import { useRouter } from "next/navigation";
import { useLocale, useTranslations } from "use-intl";
import { LOCALE_NAMES, LOCALES } from "@/lib/i18n/locales";
import { THEMES, useTheme } from "@/lib/theme";
import { PLACES } from "./navigation";
import { useLanguageSwitch } from "./preferences";

/** Every place and every action by typing a part of its name. */
export function CommandPalette({
  open,
  onOpenChange,
  onHelp,
  signOut,
}: {
  open: boolean;
  onOpenChange: (open: boolean) => void;
  onHelp: () => void;
  signOut: () => void;
}) {
  const t = useTranslations("shell");
  const locale = useLocale();
  const router = useRouter();
  const [, chooseTheme] = useTheme();
  const changeLanguage = useLanguageSwitch();

  const entry = (icon: LucideIcon, label: string, run: () => void) => {
    const Icon = icon;
    const choose = () => {
      onOpenChange(false);
      run();
    };
    return (
      <Command.Item
        key={label}
        value={label}
        onSelect={choose}
        className="flex h-9 cursor-default items-center gap-3 rounded-md px-3 text-base aria-selected:bg-accent-soft aria-selected:text-accent [&_svg]:size-4"
      >
        <Icon strokeWidth={1.75} aria-hidden />
        {label}
      </Command.Item>
    );
  };
  const go = (href: string) => () => router.push(`/${locale}${href}`);
  const group =
    "px-2 pb-2 [&_[cmdk-group-heading]]:px-3 [&_[cmdk-group-heading]]:py-2 [&_[cmdk-group-heading]]:text-muted [&_[cmdk-group-heading]]:text-xs";

  return (
    <Command.Dialog
      open={open}
      onOpenChange={onOpenChange}
      label={t("palette.open")}
      overlayClassName="fixed inset-0 z-40 bg-scrim"
      contentClassName="fixed inset-x-3 top-[10vh] z-50 mx-auto max-w-xl overflow-hidden rounded-lg border bg-surface shadow-floating"
    >
      <Command.Input
        placeholder={t("palette.placeholder")}
        className="h-12 w-full border-b bg-transparent px-5 text-lg outline-none placeholder:text-muted"
      />
      <Command.List className="max-h-[55vh] overflow-y-auto">
        <Command.Empty className="p-8 text-center text-muted">{t("palette.nothing")}</Command.Empty>
        <Command.Group heading={t("palette.places")} className={group}>
          {PLACES.map((place) => entry(place.icon, t(`nav.${place.id}`), go(place.href)))}
          {entry(Compass, t("guide"), go("/welcome/"))}
        </Command.Group>
        <Command.Group heading={t("palette.actions")} className={group}>
          {THEMES.map((theme) =>
            entry(SunMoon, `${t("theme.label")}: ${t(`theme.${theme}`)}`, () => chooseTheme(theme)),
          )}
          {LOCALES.map((each) => entry(Languages, LOCALE_NAMES[each], () => changeLanguage(each)))}
          {entry(Keyboard, t("shortcuts.title"), onHelp)}
          {entry(LogOut, t("signOut"), signOut)}
        </Command.Group>
      </Command.List>
    </Command.Dialog>
  );
}
