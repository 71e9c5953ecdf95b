import { expect, test } from "vitest";
import { readReason } from "./reasons";

test.each([
  ["it was addressed to `ops`", { kind: "addressed", channels: ["ops"] }],
  ["rule `at night` matched outside its hours", { kind: "outsideHours", rule: "at night" }],
  [
    "rule `db` matched: goes to `ops, night`, `log`, channel 7",
    { kind: "goes", channels: ["ops, night", "log", "channel 7"] },
  ],
  ["rule `db` matched", { kind: "matched", rule: "db" }],
  ["rule `db` set the severity to error (it was info)", { kind: "severity", severity: "error", before: "info" }],
  ["rule `db` escalates critical to `log`", { kind: "escalates", severity: "critical", channels: ["log"] }],
  ["no rule named a channel and there is no default channel", { kind: "nowhere" }],
  ["no rule named a channel: goes to the default, `ops`", { kind: "defaults", channels: ["ops"] }],
  ["channel `ops` is left out: it is disabled", { kind: "disabled", channels: ["ops"] }],
  ["channel 9 is left out: it does not exist", { kind: "missing", channels: ["channel 9"] }],
  [
    "silence 3 (`the lab (old) moves`) keeps it from all channels until 2026-11-23 16:17:00 UTC",
    { kind: "silencedBecause", comment: "the lab (old) moves", until: new Date("2026-11-23T16:17:00Z") },
  ],
  ["silence 3 keeps it from all channels until 2026-11-23 16:17:00 UTC", { kind: "silenced" }],
  ["the model raised the severity from info to error", { kind: "raised", before: "info", severity: "error" }],
  ["the model raised the severity from info to error: also goes to `log`", { kind: "raisedTo", channels: ["log"] }],
])("%s", (text, read) => {
  expect(readReason(text)).toMatchObject(read);
});

test("what is not known is left as it is", () => {
  expect(readReason("the moon was full")).toBeUndefined();
});
