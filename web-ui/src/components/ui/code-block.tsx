import { CopyButton } from "./copy-button";

/** Text for machines, from left to right in every language, with a way to copy it. */
export function CodeBlock({ code, label }: { code: string; label: string }) {
  return (
    <figure className="overflow-hidden rounded-lg border bg-sunken">
      <figcaption className="flex items-center justify-between gap-2 border-b bg-surface py-1.5 ps-4 pe-1.5 text-muted text-sm">
        {label}
        <CopyButton text={code} />
      </figcaption>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keyboard */}
      <pre dir="ltr" tabIndex={0} className="overflow-x-auto p-4 font-mono text-sm outline-offset-[-2px]">
        <code>{code}</code>
      </pre>
    </figure>
  );
}
