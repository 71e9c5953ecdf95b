import { type EventStream, openEvents } from "./header-event-source";
import type { components } from "./schema";

/** `live`: connected · `connecting`: not yet, or again · `off`: not wanted. */
export type LiveState = "off" | "connecting" | "live";

export interface LiveOptions {
  url: string;
  onState: (state: LiveState) => void;
  onChange: (change: LiveChange) => void;
  /** Something may have been missed, after a gap or because too much happened: it has to be fetched. */
  onGap: () => void;
}

const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 10_000;
/**
 * A tab that nobody has seen for this long does not listen. Browsers open six connections to a server without HTTP/2,
 * for all of its tabs together: the seventh tab that listens would load nothing any more.
 */
const UNSEEN_MS = 20_000;

/** The data of `change`, the one event that says what happened; `ready` and `reset` are about the stream itself. */
export type LiveChange = components["schemas"]["LiveChange"];

/**
 * Listens to the server's events until the returned function is called, while the tab is seen. Unlike a bare
 * `EventSource`, it comes back after an answer that is no stream, which is what a proxy gives while the server restarts.
 */
export function listen({ url, onState, onChange, onGap }: LiveOptions): () => void {
  let source: EventStream | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let unseen: ReturnType<typeof setTimeout> | undefined;
  let isResting = false;
  let failures = 0;
  let wasLive = false;

  const connect = () => {
    onState("connecting");
    source = openEvents(url);
    source.onopen = () => {
      failures = 0;
      onState("live");
      if (wasLive) onGap();
      wasLive = true;
    };
    source.onerror = () => {
      source?.close();
      onState("connecting");
      const pause = Math.min(PAUSE_MIN_MS * 2 ** failures, PAUSE_MAX_MS);
      failures += 1;
      timer = setTimeout(connect, pause * (0.75 + Math.random() / 2));
    };
    source.addEventListener("change", (event) => {
      const change = parse(event.data);
      if (change) onChange(change);
      else onGap();
    });
    source.addEventListener("reset", () => onGap());
  };

  const rest = () => {
    isResting = true;
    clearTimeout(timer);
    source?.close();
    onState("connecting");
  };
  const onSight = () => {
    clearTimeout(unseen);
    if (document.hidden) unseen = setTimeout(rest, UNSEEN_MS);
    else if (isResting) {
      isResting = false;
      connect();
    }
  };

  connect();
  onSight();
  document.addEventListener("visibilitychange", onSight);
  return () => {
    document.removeEventListener("visibilitychange", onSight);
    clearTimeout(unseen);
    clearTimeout(timer);
    source?.close();
    onState("off");
  };
}

function parse(text: string): LiveChange | undefined {
  try {
    const change: LiveChange = JSON.parse(text);
    return Array.isArray(change.alerts) ? change : undefined;
  } catch {
    return undefined;
  }
}
