import type { LucideIcon } from "lucide-react";
import type { ReactNode } from "react";

/** Nothing here yet: what would be here, why, and the next step. */
export function EmptyState({
  icon: Icon,
  title,
  children,
  action,
  heading: Heading = "h2",
}: {
  icon: LucideIcon;
  title: ReactNode;
  children: ReactNode;
  action?: ReactNode;
  /** `h1` where it is the whole page. */
  heading?: "h1" | "h2";
}) {
  return (
    <div className="mx-auto flex max-w-lg flex-col items-center px-6 py-12 text-center sm:py-16">
      <div className="mb-5 grid size-12 place-items-center rounded-lg border bg-surface text-accent shadow-raised">
        <Icon className="size-5" strokeWidth={1.75} aria-hidden />
      </div>
      <Heading className="font-semibold text-lg">{title}</Heading>
      <p className="mt-2 text-balance text-muted">{children}</p>
      {action && <div className="mt-6 flex flex-wrap justify-center gap-2">{action}</div>}
    </div>
  );
}
