"use client";

import { CircleCheck, TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { useFormatter, useTranslations } from "use-intl";
import { Card } from "@/components/ui/card";
import { Link } from "@/components/ui/link";
import type { components } from "@/lib/api/schema";
import { cn } from "@/lib/cn";

type Books = components["schemas"]["BooksView"];

const ENDINGS = ["delivered", "silenced", "deduplicated", "muted", "unrouted", "dead", "pending"] as const;
const LINKS: Partial<Record<(typeof ENDINGS)[number], string>> = {
  delivered: "/deliveries/?state=delivered",
  silenced: "/silences/",
  muted: "/mutes/",
  unrouted: "/rules/",
  dead: "/dead-letters/",
  pending: "/deliveries/?state=pending",
};
/** What somebody should look at while it is not zero. */
const WORRIES: readonly string[] = ["unrouted", "dead"];

/** Everything that was received, and what became of it. What is left over is the first thing to read. */
export function BooksCard({ books }: { books: Books }) {
  const t = useTranslations("overview.books");
  const format = useFormatter();
  const isBalanced = books.unaccounted === 0;
  const verdict = isBalanced ? t("balanced") : books.unaccounted > 0 ? t("lost") : t("extra");
  const Icon = isBalanced ? CircleCheck : TriangleAlert;
  return (
    <Card title={t("title")}>
      <div className="grid gap-5 lg:grid-cols-[16rem_1fr] lg:gap-8">
        <div
          className={cn(
            "grid content-center gap-1 rounded-md p-4",
            isBalanced ? "bg-success-soft" : "bg-critical-soft",
          )}
        >
          <span className={cn("flex items-center gap-2 font-medium", isBalanced ? "text-success" : "text-critical")}>
            <Icon className="size-4" aria-hidden />
            {t("unaccounted")}
          </span>
          <span className="font-semibold text-2xl tabular-nums">{format.number(books.unaccounted)}</span>
          <span className="text-sm">{verdict}</span>
        </div>
        <div className="grid gap-4">
          <Bar books={books} />
          <dl className="grid grid-cols-2 gap-x-6 gap-y-3 sm:grid-cols-4">
            <Figure name={t("received")} value={books.received} />
            {ENDINGS.map((ending) => (
              <Figure
                key={ending}
                name={t(ending)}
                value={books[ending]}
                href={LINKS[ending]}
                isWorry={WORRIES.includes(ending) && books[ending] > 0}
              />
            ))}
          </dl>
        </div>
      </div>
    </Card>
  );
}

function Figure({ name, value, href, isWorry }: { name: ReactNode; value: number; href?: string; isWorry?: boolean }) {
  const format = useFormatter();
  const number = format.number(value);
  return (
    <div>
      <dt className="flex items-center gap-1 text-muted text-sm">
        {isWorry && <TriangleAlert className="size-3.5 text-warning" aria-hidden />}
        {name}
      </dt>
      <dd className="font-semibold text-lg tabular-nums">
        {href ? (
          <Link href={href} className="hover:text-accent hover:underline">
            {number}
          </Link>
        ) : (
          number
        )}
      </dd>
    </div>
  );
}

const COLOURS: Record<(typeof ENDINGS)[number], string> = {
  delivered: "bg-success",
  silenced: "bg-info",
  deduplicated: "bg-line-strong",
  muted: "bg-muted",
  unrouted: "bg-warning",
  dead: "bg-critical",
  pending: "bg-accent",
};

/** The same figures as shares of one line; the numbers below say it all. */
function Bar({ books }: { books: Books }) {
  return (
    <div className="flex h-2 gap-px overflow-hidden rounded-full bg-hover" aria-hidden>
      {ENDINGS.map(
        (ending) =>
          books[ending] > 0 && (
            <div key={ending} className={cn("min-w-1", COLOURS[ending])} style={{ flexGrow: books[ending] }} />
          ),
      )}
    </div>
  );
}
