import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { listen } from "./live-stream";

class FakeSource {
  static all: FakeSource[] = [];
  onopen = () => {};
  onerror = () => {};
  isClosed = false;
  private listeners = new Map<string, (event: { data: string }) => void>();

  constructor(readonly url: string) {
    FakeSource.all.push(this);
  }
  addEventListener(type: string, listener: (event: { data: string }) => void) {
    this.listeners.set(type, listener);
  }
  send(type: string, data: string) {
    this.listeners.get(type)?.({ data });
  }
  close() {
    this.isClosed = true;
  }
}

beforeEach(() => {
  FakeSource.all = [];
  vi.useFakeTimers();
  vi.stubGlobal("EventSource", FakeSource);
});
afterEach(() => {
  for (const stop of stops.splice(0)) stop();
  vi.useRealTimers();
  vi.unstubAllGlobals();
});

const stops: (() => void)[] = [];

function start() {
  const heard = { states: [] as string[], changes: [] as unknown[], gaps: 0 };
  const stop = listen({
    url: "/api/v1/live",
    onState: (state) => heard.states.push(state),
    onChange: (change) => heard.changes.push(change),
    onGap: () => {
      heard.gaps += 1;
    },
  });
  stops.push(stop);
  return { heard, stop };
}

test("it comes back after the server was away, and says that there was a gap", () => {
  const { heard } = start();
  FakeSource.all[0]?.onopen();
  FakeSource.all[0]?.onerror();
  expect(FakeSource.all[0]?.isClosed).toBe(true);
  vi.advanceTimersByTime(1_000);
  FakeSource.all[1]?.onerror();
  vi.advanceTimersByTime(2_000);
  FakeSource.all[2]?.onopen();
  expect(heard.gaps).toBe(1);
  expect(heard.states.at(-1)).toBe("live");
});

test("the first connection is no gap", () => {
  const { heard } = start();
  FakeSource.all[0]?.onopen();
  expect(heard).toMatchObject({ states: ["connecting", "live"], gaps: 0 });
});

test("a change comes with what changed; one that cannot be read, or a reset, is a gap", () => {
  const { heard } = start();
  FakeSource.all[0]?.send("ready", "{}");
  FakeSource.all[0]?.send("change", '{"alerts":[],"deliveries":2}');
  expect(heard).toMatchObject({ changes: [{ alerts: [], deliveries: 2 }], gaps: 0 });
  FakeSource.all[0]?.send("change", "oops");
  FakeSource.all[0]?.send("reset", "{}");
  expect(heard).toMatchObject({ changes: [{ alerts: [], deliveries: 2 }], gaps: 2 });
});

test("once stopped, it does not come back", () => {
  const { stop } = start();
  FakeSource.all[0]?.onerror();
  stop();
  vi.advanceTimersByTime(60_000);
  expect(FakeSource.all).toHaveLength(1);
});

test("a tab that nobody sees lets go of its connection, and fetches what it missed when it is seen again", () => {
  const hidden = vi.spyOn(document, "hidden", "get");
  const see = (isSeen: boolean) => {
    hidden.mockReturnValue(!isSeen);
    document.dispatchEvent(new Event("visibilitychange"));
  };
  const { heard, stop } = start();
  FakeSource.all[0]?.onopen();
  see(false);
  vi.advanceTimersByTime(10_000);
  see(true);
  vi.advanceTimersByTime(60_000);
  expect(FakeSource.all[0]?.isClosed, "after a short look elsewhere").toBe(false);
  see(false);
  vi.advanceTimersByTime(60_000);
  expect(FakeSource.all).toMatchObject([{ isClosed: true }]);
  see(true);
  FakeSource.all[1]?.onopen();
  expect(heard).toMatchObject({ gaps: 1 });
  stop();
  see(false);
  see(true);
  expect(FakeSource.all).toHaveLength(2);
  hidden.mockRestore();
});
