"use client";

import { Compass } from "lucide-react";
import { usePathname } from "next/navigation";
import { useTranslations } from "use-intl";
import { Link } from "@/components/ui/link";
import { cn } from "@/lib/cn";
import { Logo } from "./logo";
import { NAVIGATION, type Place } from "./navigation";

/** Whether a path, which begins with its language, is at a place or below it. */
export function isAt(path: string, href: string): boolean {
  const place = `/${path.split("/").slice(2).join("/")}`;
  return href === "/" ? place === "/" : place.startsWith(href);
}

const row =
  "flex h-8 items-center [@media(max-height:800px)]:h-7 gap-2.5 rounded-md px-2.5 text-base text-muted hover:bg-hover hover:text-ink aria-[current=page]:bg-accent-soft aria-[current=page]:font-medium aria-[current=page]:text-accent [&_svg]:size-4 [&_svg]:shrink-0";

/** All places, closer together on a low screen so that all are in sight; also inside the drawer of the phone. */
export function Sidebar({ className, onNavigate }: { className?: string; onNavigate?: () => void }) {
  const t = useTranslations("shell");
  return (
    <nav
      aria-label={t("navigation")}
      className={cn("flex flex-col gap-5 overflow-y-auto px-3 pb-4 [@media(max-height:800px)]:gap-3", className)}
    >
      <Link
        href="/"
        onClick={onNavigate}
        className="sticky top-0 z-10 flex h-14 shrink-0 items-center rounded-md bg-inherit px-2.5"
      >
        <Logo />
      </Link>
      {NAVIGATION.map((group) => (
        <div key={group.id}>
          <h2 id={`nav-${group.id}`} className="mb-1 px-2.5 font-medium text-muted text-xs">
            {t(`groups.${group.id}`)}
          </h2>
          <ul aria-labelledby={`nav-${group.id}`} className="grid gap-px">
            {group.places.map((place) => (
              <li key={place.id}>
                <PlaceLink place={place} onNavigate={onNavigate} />
              </li>
            ))}
          </ul>
        </div>
      ))}
      <Link href="/welcome/" onClick={onNavigate} className={cn(row, "mt-auto shrink-0 border border-dashed")}>
        <Compass aria-hidden />
        {t("guide")}
      </Link>
    </nav>
  );
}

function PlaceLink({ place, onNavigate }: { place: Place; onNavigate?: () => void }) {
  const t = useTranslations("shell.nav");
  const isCurrent = isAt(usePathname(), place.href);
  const Icon = place.icon;
  return (
    <Link href={place.href} onClick={onNavigate} aria-current={isCurrent ? "page" : undefined} className={row}>
      <Icon strokeWidth={1.75} aria-hidden />
      <span className="truncate">{t(place.id)}</span>
    </Link>
  );
}
