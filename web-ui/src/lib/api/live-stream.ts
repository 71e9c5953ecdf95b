import { type EventStream, openEvents } from "./header-event-source";

/** `live`: connected · `connecting`: not yet, or again · `off`: not wanted. */
export type LiveState = "off" | "connecting" | "live";

export interface LiveOptions {
  url: string;
  onState: (state: LiveState) => void;
  onEvent: (type: string, data: unknown) => void;
  /** Connected again after a gap: what happened meanwhile has to be fetched. */
  onGap: () => void;
}

const PAUSE_MIN_MS = 500;
const PAUSE_MAX_MS = 10_000;

/** The server sends named events; a browser only hands over those that somebody asked for by name. */
export const LIVE_EVENTS = ["alert", "delivery", "books", "config", "service"] as const;
export type LiveEvent = (typeof LIVE_EVENTS)[number];

/**
 * Listens to the server's events until the returned function is called. Unlike a bare `EventSource`, it comes back
 * after an answer that is no stream, which is what a proxy gives while the server restarts.
 */
export function listen({ url, onState, onEvent, onGap }: LiveOptions): () => void {
  let source: EventStream | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
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
    for (const type of LIVE_EVENTS) {
      source.addEventListener(type, (event) => onEvent(type, parse(event.data)));
    }
  };

  connect();
  return () => {
    clearTimeout(timer);
    source?.close();
    onState("off");
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
