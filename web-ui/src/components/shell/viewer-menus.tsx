"use client";

// Fetched with the first press on one of the buttons in `top-bar.tsx`.
import { CircleUser, Keyboard, LogOut } from "lucide-react";
import { useTranslations } from "use-intl";
import type { LazyMenuProps } from "@/components/ui/lazy";
import { Link } from "@/components/ui/link";
import { Menu, MenuChoice, MenuItem, MenuSeparator } from "@/components/ui/menu";
import type { ShellActions, Viewer } from "./top-bar";

/** Who is looking, and what is about them alone. */
export function ViewerMenu({
  viewer,
  signOut,
  onHelp,
  ...props
}: LazyMenuProps & { viewer: Viewer; signOut: ShellActions["signOut"]; onHelp: () => void }) {
  const t = useTranslations("shell");
  return (
    <Menu {...props}>
      <div className="px-2 py-1.5">
        <p className="font-medium">
          <bdi>{viewer.name}</bdi>
        </p>
        <p className="text-muted text-sm">
          <bdi>{viewer.email}</bdi>
        </p>
      </div>
      <MenuSeparator />
      <MenuItem asChild>
        <Link href="/account/">
          <CircleUser aria-hidden />
          {t("account")}
        </Link>
      </MenuItem>
      <MenuItem onSelect={onHelp}>
        <Keyboard aria-hidden />
        {t("shortcuts.title")}
      </MenuItem>
      <MenuSeparator />
      <MenuItem onSelect={signOut}>
        <LogOut className="rtl:-scale-x-100" aria-hidden />
        {t("signOut")}
      </MenuItem>
    </Menu>
  );
}

export function TenantMenu({
  viewer,
  switchTenant,
  ...props
}: LazyMenuProps & { viewer: Viewer; switchTenant: ShellActions["switchTenant"] }) {
  return (
    <Menu align="start" {...props}>
      {viewer.tenants.map(({ id, name }) => (
        <MenuChoice key={id} isChosen={id === viewer.tenant.id} onSelect={() => switchTenant(id)}>
          <bdi>{name}</bdi>
        </MenuChoice>
      ))}
    </Menu>
  );
}
