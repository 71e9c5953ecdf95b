import { chosenTenant, TENANT_HEADER } from "../tenant";

/** What of an `EventSource` the live stream uses. */
export interface EventStream {
  onopen: (() => void) | null;
  onerror: (() => void) | null;
  addEventListener(type: string, listener: (event: { data: string }) => void): void;
  close(): void;
}

/** The browser's own stream, unless a tenant was chosen: that is told in a header, which a browser's cannot send. */
export function openEvents(url: string): EventStream {
  const tenant = chosenTenant();
  const own = () => new EventSource(url) as EventStream;
  return tenant ? new HeaderEventSource(url, { [TENANT_HEADER]: tenant }) : own();
}

/** Server-sent events with headers of ours. It ends with the first failure; whoever opened it comes back. */
export class HeaderEventSource implements EventStream {
  onopen: (() => void) | null = null;
  onerror: (() => void) | null = null;
  private readonly listeners = new Map<string, (event: { data: string }) => void>();
  private readonly abort = new AbortController();

  constructor(url: string, headers: Record<string, string>) {
    this.read(url, headers)
      .catch(() => undefined)
      .then(() => this.abort.signal.aborted || this.onerror?.());
  }

  addEventListener(type: string, listener: (event: { data: string }) => void): void {
    this.listeners.set(type, listener);
  }

  close(): void {
    this.abort.abort();
  }

  private async read(url: string, headers: Record<string, string>): Promise<void> {
    const response = await fetch(url, {
      headers: { ...headers, Accept: "text/event-stream" },
      credentials: "same-origin",
      signal: this.abort.signal,
    });
    if (!response.ok || !response.body) return;
    this.onopen?.();
    const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (let part = await reader.read(); !part.done; part = await reader.read()) {
      const messages = (text + part.value).split(/\r?\n\r?\n/);
      text = messages.pop() ?? "";
      for (const message of messages) this.hand(message);
    }
  }

  /** Hands on one message: lines of `event:` and `data:`, others are of no interest. */
  private hand(message: string): void {
    const fields = message.split(/\r?\n/).map((line) => /^(\w+): ?(.*)$/.exec(line) ?? []);
    const valuesOf = (name: string) => fields.flatMap(([, field, value]) => (field === name ? [value ?? ""] : []));
    const type = valuesOf("event").at(-1) ?? "message";
    this.listeners.get(type)?.({ data: valuesOf("data").join("\n") });
  }
}
