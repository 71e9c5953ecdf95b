import { afterEach, expect, test, vi } from "vitest";
import { HeaderEventSource } from "./header-event-source";

afterEach(() => vi.unstubAllGlobals());

/** A server that answers with these pieces of text, one after the other. */
function answers(...pieces: string[]) {
  const fetched = vi.fn(async (_url: string, _init: RequestInit) => {
    const body = new ReadableStream({
      start(controller) {
        for (const piece of pieces) controller.enqueue(new TextEncoder().encode(piece));
        controller.close();
      },
    });
    return new Response(body);
  });
  vi.stubGlobal("fetch", fetched);
  return fetched;
}

test("events that arrive in pieces are handed on whole, with the headers sent", async () => {
  const fetched = answers("id: 1\nevent: change\nda", 'ta: {"alerts":[]}\n', "\nevent: reset\ndata: {}\n\n: idle\n\n");
  const heard: string[] = [];
  await new Promise<void>((resolve) => {
    const source = new HeaderEventSource("/api/v1/live", { "X-Watchbell-Tenant": "7" });
    source.onopen = () => heard.push("open");
    source.addEventListener("change", ({ data }) => heard.push(data));
    source.addEventListener("reset", () => heard.push("reset"));
    source.onerror = resolve;
  });
  expect(heard).toEqual(["open", '{"alerts":[]}', "reset"]);
  expect(fetched.mock.calls[0]?.[1].headers).toMatchObject({ "X-Watchbell-Tenant": "7" });
});

test("an answer that is no stream is an error, unless it was closed before", async () => {
  vi.stubGlobal("fetch", async () => new Response("", { status: 502 }));
  await new Promise<void>((resolve) => {
    new HeaderEventSource("/api/v1/live", {}).onerror = resolve;
  });
  const closed = new HeaderEventSource("/api/v1/live", {});
  closed.onerror = vi.fn();
  closed.close();
  await new Promise((resolve) => setTimeout(resolve, 0));
  expect(closed.onerror).not.toHaveBeenCalled();
});
