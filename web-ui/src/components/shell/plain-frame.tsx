"use client";

import type { ReactNode } from "react";
import { Link } from "@/components/ui/link";
import { Logo } from "./logo";
import { LanguageMenu, ThemeMenu } from "./preferences";
import { SkipLink } from "./shell";

/** What surrounds the screens without navigation: signing in, the guide, a page that is not there. */
export function PlainFrame({ children }: { children: ReactNode }) {
  return (
    <div className="flex min-h-dvh flex-col">
      <SkipLink />
      <header className="flex h-14 items-center px-4 sm:px-6">
        <Link href="/" className="flex rounded-md">
          <Logo />
        </Link>
        <div className="ms-auto flex">
          <ThemeMenu />
          <LanguageMenu />
        </div>
      </header>
      <main id="main" tabIndex={-1} className="flex flex-1 flex-col outline-none">
        {children}
      </main>
    </div>
  );
}
