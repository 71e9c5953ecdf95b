import type { ReactNode } from "react";

/** Names beside their values. What has no value is left out. */
export function Definitions({ items }: { items: [name: ReactNode, value: ReactNode][] }) {
  return (
    <dl className="grid grid-cols-[auto_1fr] gap-x-4 gap-y-1.5 text-sm">
      {items.map(([name, value], index) =>
        value === undefined || value === null || value === "" ? null : (
          // biome-ignore lint/suspicious/noArrayIndexKey: the names are fixed and never move
          <div key={index} className="contents">
            <dt className="text-muted">{name}</dt>
            <dd className="min-w-0 break-words">{value}</dd>
          </div>
        ),
      )}
    </dl>
  );
}
