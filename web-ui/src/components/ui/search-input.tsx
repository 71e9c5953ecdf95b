"use client";

import { Search } from "lucide-react";
import { type RefObject, useEffect, useEffectEvent, useState } from "react";
import { cn } from "@/lib/cn";
import { Input } from "./input";

/** Long enough to type a word, short enough to feel immediate. */
const PAUSE_MS = 250;

/** Search words. `onChange` hears them after a pause in typing; Escape goes back to the page. */
export function SearchInput({
  value,
  label,
  className,
  onChange,
  ref,
}: {
  value: string;
  label: string;
  className?: string;
  onChange: (words: string) => void;
  ref?: RefObject<HTMLInputElement | null>;
}) {
  const [typed, setTyped] = useState(value);
  const [known, setKnown] = useState(value);
  const [said, setSaid] = useState(value);
  if (known !== value) {
    setKnown(value);
    // Not what was said here, but changed from outside: a saved view, the way back.
    if (value !== said) {
      setSaid(value);
      setTyped(value);
    }
  }
  const say = useEffectEvent(() => {
    setSaid(typed.trim());
    onChange(typed.trim());
  });
  const isSaid = typed.trim() === value;
  // biome-ignore lint/correctness/useExhaustiveDependencies: each key begins the pause again
  useEffect(() => {
    if (isSaid) return;
    const timer = setTimeout(() => say(), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [isSaid, typed]);
  return (
    <div className={cn("relative", className)}>
      <Search className="pointer-events-none absolute start-2.5 top-2.5 size-4 text-muted" aria-hidden />
      <Input
        ref={ref}
        type="search"
        // What is empty follows the page, as the label in it does; `auto` alone would mean left to right.
        dir={typed ? "auto" : undefined}
        className="px-8"
        aria-label={label}
        placeholder={label}
        value={typed}
        onChange={(event) => setTyped(event.target.value)}
        onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
      />
    </div>
  );
}
