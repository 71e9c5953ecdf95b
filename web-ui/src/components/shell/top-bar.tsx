"use client";

import { ChevronsUpDown, CircleUser, Menu as MenuIcon, Search } from "lucide-react";
import { lazy } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Kbd } from "@/components/ui/kbd";
import { LazyMenu } from "@/components/ui/lazy";
import { Tooltip } from "@/components/ui/tooltip";
import { useLiveState } from "@/lib/api/live";
import { LanguageMenu, ThemeMenu } from "./preferences";

const menus = () => import("./viewer-menus");
const ViewerMenu = lazy(() => menus().then((module) => ({ default: module.ViewerMenu })));
const TenantMenu = lazy(() => menus().then((module) => ({ default: module.TenantMenu })));

/** Who is looking at what. */
export interface Viewer {
  name: string;
  email: string;
  tenant: { id: string; name: string };
  /** Where the viewer can go; one entry or none shows no choice. */
  tenants: { id: string; name: string }[];
}

export interface ShellActions {
  signOut: () => void;
  switchTenant: (id: string) => void;
}

interface Props extends ShellActions {
  viewer: Viewer;
  onMenu: () => void;
  onSearch: () => void;
  onHelp: () => void;
}

export function TopBar({ viewer, signOut, switchTenant, onMenu, onSearch, onHelp }: Props) {
  const t = useTranslations("shell");
  const you = (
    <Button variant="ghost" size="icon" aria-label={t("you")}>
      <CircleUser aria-hidden />
    </Button>
  );
  return (
    <header className="sticky top-0 z-30 flex h-14 items-center gap-1 border-b bg-canvas/85 px-3 backdrop-blur sm:px-5">
      <Button variant="ghost" size="icon" className="lg:hidden" aria-label={t("openNavigation")} onClick={onMenu}>
        <MenuIcon aria-hidden />
      </Button>
      <TenantSwitch viewer={viewer} switchTenant={switchTenant} />
      <LiveDot />
      <Button
        className="ms-auto h-8 text-muted max-sm:size-9 max-sm:border-0 max-sm:bg-transparent max-sm:px-0 max-sm:shadow-none sm:min-w-52 sm:justify-start"
        aria-label={t("palette.open")}
        onClick={onSearch}
      >
        <Search aria-hidden />
        <span className="font-normal max-sm:hidden">{t("palette.open")}</span>
        <span className="ms-auto max-sm:hidden">
          <Kbd keys="mod+K" />
        </span>
      </Button>
      <ThemeMenu />
      <LanguageMenu />
      <LazyMenu trigger={you} menu={ViewerMenu} viewer={viewer} signOut={signOut} onHelp={onHelp} />
    </header>
  );
}

function TenantSwitch({ viewer, switchTenant }: { viewer: Viewer; switchTenant: (id: string) => void }) {
  const t = useTranslations("shell");
  if (viewer.tenants.length < 2) {
    return (
      <span className="truncate px-2 font-medium">
        <bdi>{viewer.tenant.name}</bdi>
      </span>
    );
  }
  const trigger = (
    <Button variant="ghost" className="min-w-0 shrink px-2" aria-label={t("tenant", { name: viewer.tenant.name })}>
      <bdi className="truncate">{viewer.tenant.name}</bdi>
      <ChevronsUpDown className="text-muted" aria-hidden />
    </Button>
  );
  return <LazyMenu trigger={trigger} menu={TenantMenu} viewer={viewer} switchTenant={switchTenant} />;
}

const LIVE_LOOKS = { live: "bg-success", connecting: "bg-warning animate-pulse", off: "bg-line-strong" };

/** Says whether the screen follows the server; what it shows stays while it does not. */
function LiveDot() {
  const t = useTranslations("shell.live");
  const state = useLiveState();
  return (
    <Tooltip text={t(`${state}Hint`)}>
      <button type="button" className="flex h-7 items-center gap-1.5 rounded-sm px-1.5 text-muted text-xs">
        <span className={`size-1.5 rounded-full ${LIVE_LOOKS[state]}`} aria-hidden />
        <span aria-live="polite" className="max-sm:sr-only">
          {t(state)}
        </span>
      </button>
    </Tooltip>
  );
}
