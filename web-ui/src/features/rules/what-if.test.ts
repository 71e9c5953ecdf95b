import { expect, test } from "vitest";
import { type DryRun, together } from "./what-if";

const NOTHING: DryRun = {
  events: 0,
  complete: true,
  moved: 0,
  lost: 0,
  found: 0,
  severity_changed: 0,
  channels: [],
  examples: [],
};

test("batches add up, channel by channel", () => {
  const ops = { id: 1, name: "ops", now: 3, draft: 1 };
  const newer = { ...NOTHING, complete: false, next_cursor: "more", events: 5, moved: 2, lost: 1, channels: [ops] };
  const older = {
    ...NOTHING,
    events: 7,
    found: 1,
    severity_changed: 4,
    reached: "2027-01-30T00:00:00.000Z",
    channels: [
      { ...ops, draft: 4 },
      { id: 2, name: "lab", now: 0, draft: 2 },
    ],
  };
  expect(together(newer, older)).toEqual({
    events: 12,
    complete: true,
    reached: "2027-01-30T00:00:00.000Z",
    moved: 2,
    lost: 1,
    found: 1,
    severity_changed: 4,
    channels: [
      { id: 1, name: "ops", now: 6, draft: 5 },
      { id: 2, name: "lab", now: 0, draft: 2 },
    ],
    examples: [],
  });
});
