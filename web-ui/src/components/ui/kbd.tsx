/** A key, or keys one after the other: `g a`. */
export function Kbd({ keys }: { keys: string }) {
  return (
    <span dir="ltr" className="inline-flex gap-1">
      {keys.split(/[ +]/).map((key) => (
        <kbd key={key} className="min-w-5 rounded-sm border bg-sunken px-1 text-center font-sans text-muted text-xs">
          {key === "mod" ? "⌘/Ctrl" : key}
        </kbd>
      ))}
    </span>
  );
}
