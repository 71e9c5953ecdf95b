import { describe, expect, test } from "vitest";
import { type Alert, filterOf, inOrder, withChanged } from "./filter";

const seconds = (count: number) => new Date(count * 1_000).toISOString();

function alert(id: string, more: Partial<Alert> = {}): Alert {
  return {
    id,
    action: "",
    category: "disk",
    confidence: 1,
    count: 1,
    fingerprint: id,
    first_seen: seconds(1),
    last_event: `evt_${id}`,
    last_seen: seconds(1),
    origin: "rules",
    severity: "error",
    silenced: false,
    source: "push",
    status: "firing",
    subject: id,
    summary: id,
    system: "db1",
    ...more,
  };
}

test("the filter is what the URL says, and nothing else of it", () => {
  const params = new URLSearchParams("severity=critical,error&id=alr_1&q=disk&silenced=true");
  expect(filterOf(params)).toEqual({ severity: "critical,error", q: "disk", silenced: true });
});

describe("when alerts change", () => {
  test("those in the list are replaced", () => {
    const changed = alert("a", { status: "acknowledged" });
    expect(withChanged([alert("a"), alert("b")], [changed], {})).toEqual({
      list: [changed, alert("b")],
      missing: false,
    });
  });

  test("those that do not pass any more leave", () => {
    const { list, missing } = withChanged([alert("a")], [alert("a", { status: "resolved" })], { status: "firing" });
    expect({ list, missing }).toEqual({ list: [], missing: false });
  });

  test("one that is not there is asked for, but only if it may belong there", () => {
    expect(withChanged([], [alert("a")], { severity: "error" }).missing).toBe(true);
    expect(withChanged([], [alert("a")], { severity: "critical" }).missing).toBe(false);
  });
});

test("an alert stands once, in its newest state, last seen first", () => {
  const newest = alert("a", { last_seen: seconds(9), count: 2 });
  expect(inOrder([alert("a", { last_seen: seconds(3) }), alert("b", { last_seen: seconds(5) }), newest])).toEqual([
    newest,
    alert("b", { last_seen: seconds(5) }),
  ]);
});
