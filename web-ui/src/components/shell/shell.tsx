"use client";

import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { type ReactNode, useState } from "react";
import { useLocale, useTranslations } from "use-intl";
import { useShortcuts } from "@/lib/shortcuts";
import { PLACES } from "./navigation";
import { Sidebar } from "./sidebar";
import { type ShellActions, TopBar, type Viewer } from "./top-bar";

// Fetched when first opened.
const CommandPalette = dynamic(() => import("./command-palette").then((module) => module.CommandPalette), {
  loading: () => null,
});
const NavigationDrawer = dynamic(() => import("./navigation-drawer").then((module) => module.NavigationDrawer), {
  loading: () => null,
});
const ShortcutHelp = dynamic(() => import("./shortcut-help").then((module) => module.ShortcutHelp), {
  loading: () => null,
});

/** What surrounds every screen: the places at the side, the bar above, the keys. */
export function Shell({ viewer, children, ...actions }: ShellActions & { viewer: Viewer; children: ReactNode }) {
  const [opened, setOpened] = useState<"navigation" | "palette" | "help">();
  const close = (isOpen: boolean) => !isOpen && setOpened(undefined);
  const openHelp = () => setOpened("help");
  useGlobalShortcuts(() => setOpened("palette"), openHelp);

  return (
    <div className="min-h-dvh lg:ps-58">
      <SkipLink />
      <Sidebar className="fixed inset-y-0 start-0 hidden w-58 border-e bg-sunken lg:flex" />
      <TopBar
        viewer={viewer}
        {...actions}
        onMenu={() => setOpened("navigation")}
        onSearch={() => setOpened("palette")}
        onHelp={openHelp}
      />
      <main id="main" tabIndex={-1} className="outline-none">
        {children}
      </main>
      {opened === "navigation" && <NavigationDrawer onClose={() => setOpened(undefined)} />}
      {opened === "palette" && <CommandPalette open onOpenChange={close} onHelp={openHelp} signOut={actions.signOut} />}
      {opened === "help" && <ShortcutHelp open onOpenChange={close} />}
    </div>
  );
}

function useGlobalShortcuts(openPalette: () => void, openHelp: () => void): void {
  const t = useTranslations("shell");
  const locale = useLocale();
  const router = useRouter();
  useShortcuts([
    { keys: "mod+k", label: t("palette.open"), run: openPalette },
    { keys: "?", label: t("shortcuts.title"), run: openHelp },
    ...PLACES.flatMap(({ id, href, key }) =>
      key ? [{ keys: `g ${key}`, label: t(`nav.${id}`), run: () => router.push(`/${locale}${href}`) }] : [],
    ),
  ]);
}

/** The first stop of the tab key: past the navigation. */
export function SkipLink() {
  const t = useTranslations("shell");
  return (
    <a
      href="#main"
      className="fixed start-3 top-3 z-50 -translate-y-20 rounded-md bg-accent px-4 py-2 font-medium text-on-accent focus:translate-y-0"
    >
      {t("skip")}
    </a>
  );
}
