import { Skeleton, SkeletonRows } from "@/components/ui/skeleton";
import { Logo } from "./logo";

/** The shell's outline, while it is not known yet who is looking. */
export function ShellSkeleton() {
  return (
    <div className="min-h-dvh lg:ps-58">
      <div className="fixed inset-y-0 start-0 hidden w-58 border-e bg-sunken px-5.5 lg:block">
        <div className="flex h-14 items-center">
          <Logo />
        </div>
        <div className="mt-6 grid gap-5">
          {["w-24", "w-16", "w-28", "w-20", "w-24", "w-14", "w-20", "w-28"].map((width, row) => (
            // biome-ignore lint/suspicious/noArrayIndexKey: the rows never move
            <Skeleton key={row} className={width} />
          ))}
        </div>
      </div>
      <div className="h-14 border-b" />
      <main aria-busy className="mx-auto max-w-7xl px-4 py-6 sm:px-8 sm:py-8">
        <Skeleton className="mb-2 h-6 w-40" />
        <Skeleton className="mb-7 w-64" />
        <SkeletonRows />
      </main>
    </div>
  );
}
