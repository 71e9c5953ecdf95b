"use client";

import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useEffectEvent,
  useId,
  useMemo,
  useState,
} from "react";

export interface Shortcut {
  /** One key (`j`, `/`, `?`, `Escape`), two in a row (`g a`), or with the command key (`mod+k`). */
  keys: string;
  /** For the list of shortcuts. */
  label: string;
  /** Works inside a drawer too, as what is in it belongs to the shortcut. */
  inDrawer?: boolean;
  run: () => void;
}

interface Registry {
  shortcuts: Shortcut[];
  set: (owner: string, shortcuts: Shortcut[] | undefined) => void;
}

const RegistryContext = createContext<Registry | undefined>(undefined);

/** The second key of two counts within this time. */
const SEQUENCE_MS = 1_000;

/** The keys of an event as a shortcut writes them. */
export function keysOf(event: KeyboardEvent): string {
  return event.metaKey || event.ctrlKey ? `mod+${event.key.toLowerCase()}` : event.key;
}

/** Whether the key belongs to what has the focus: text is being typed, or a question is open. */
function isTaken(event: KeyboardEvent): boolean {
  const target = event.target instanceof HTMLElement ? event.target : undefined;
  const isTyping = target?.isContentEditable || target?.closest("input, textarea, select, [role=listbox], [role=menu]");
  return Boolean(isTyping) || document.querySelector("[role=alertdialog]") !== null;
}

const hasModal = () => document.querySelector("[role=dialog][data-modal]") !== null;

/** Hears the keys for all shortcuts on the page and knows them, so that they can be listed. */
export function ShortcutProvider({ children }: { children: ReactNode }) {
  const [byOwner, setByOwner] = useState<ReadonlyMap<string, Shortcut[]>>(new Map());
  const shortcuts = useMemo(() => [...byOwner.values()].flat(), [byOwner]);

  const onKey = useEffectEvent((event: KeyboardEvent, previous: string | undefined) => {
    const keys = keysOf(event);
    if (event.altKey || (isTaken(event) && !keys.startsWith("mod+"))) return;
    const find = (wanted: string) => shortcuts.findLast((shortcut) => shortcut.keys === wanted);
    const found = (previous && find(`${previous} ${keys}`)) || find(keys);
    if (!found || (hasModal() && !found.inDrawer && !keys.startsWith("mod+"))) return;
    event.preventDefault();
    found.run();
  });

  useEffect(() => {
    let previous: { keys: string; at: number } | undefined;
    const hear = (event: KeyboardEvent) => {
      const isInTime = previous && event.timeStamp - previous.at < SEQUENCE_MS;
      onKey(event, isInTime ? previous?.keys : undefined);
      previous = { keys: keysOf(event), at: event.timeStamp };
    };
    document.addEventListener("keydown", hear);
    return () => document.removeEventListener("keydown", hear);
  }, []);

  // Always the same function: those who registered need not do it again when others come and go.
  const set = useCallback((owner: string, owned: Shortcut[] | undefined) => {
    setByOwner((before) => {
      const after = new Map(before);
      if (owned) after.set(owner, owned);
      else after.delete(owner);
      return after;
    });
  }, []);
  const registry = useMemo<Registry>(() => ({ shortcuts, set }), [shortcuts, set]);
  return <RegistryContext value={registry}>{children}</RegistryContext>;
}

/** Shortcuts that work, and are listed under `?`, while the component is on screen. The last one added wins. */
export function useShortcuts(shortcuts: Shortcut[]): void {
  const set = useContext(RegistryContext)?.set;
  const owner = useId();
  const run = useEffectEvent((keys: string) => shortcuts.find((shortcut) => shortcut.keys === keys)?.run());
  const listed = JSON.stringify(shortcuts.map(({ keys, label, inDrawer }) => ({ keys, label, inDrawer })));
  useEffect(() => {
    const plain: Omit<Shortcut, "run">[] = JSON.parse(listed);
    set?.(
      owner,
      plain.map((shortcut) => ({ ...shortcut, run: () => run(shortcut.keys) })),
    );
    return () => set?.(owner, undefined);
  }, [set, owner, listed]);
}

/** Every shortcut that works now. */
export function useShortcutList(): Shortcut[] {
  return useContext(RegistryContext)?.shortcuts ?? [];
}
