"use client";

import { ArrowLeft } from "lucide-react";
import type { ReactNode } from "react";
import { Link } from "@/components/ui/link";

/** The way from one thing back to the list of all. */
export function BackLink({ href, children }: { href: string; children: ReactNode }) {
  return (
    <Link
      href={href}
      className="mx-auto -mb-3 flex w-full max-w-7xl items-center gap-1.5 px-4 pt-5 text-muted text-sm hover:text-ink sm:px-8"
    >
      <ArrowLeft className="size-4 rtl:-scale-x-100" aria-hidden />
      {children}
    </Link>
  );
}
