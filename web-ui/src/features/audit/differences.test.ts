import { expect, test } from "vitest";
import { differences, nameOf } from "./differences";

test("only what differs is told, value by value", () => {
  const before = { name: "db", match: { from: "*", to: null }, channels: [1, 2], updated_at: "x" };
  const after = { name: "db", match: { from: "*@a", labels: { env: "prod" } }, channels: [2, 1], updated_at: "y" };
  expect(differences(before, after)).toEqual([
    { path: "match.from", before: "*", after: "*@a" },
    { path: "channels", before: "1, 2", after: "2, 1" },
    { path: "match.labels.env", before: undefined, after: "prod" },
  ]);
});

test("what was made has no before, what was removed no after", () => {
  expect(differences(undefined, { enabled: true })).toEqual([{ path: "enabled", before: undefined, after: "true" }]);
  expect(differences({ enabled: true }, undefined)).toEqual([{ path: "enabled", before: "true", after: undefined }]);
  expect(differences([3, 1], [1, 3])).toEqual([{ path: "", before: "3, 1", after: "1, 3" }]);
});

test("an item is called by its name, and by its last name when it was removed", () => {
  expect(nameOf(undefined, { name: "ops" })).toBe("ops");
  expect(nameOf({ comment: "rack move" }, undefined)).toBe("rack move");
  expect(nameOf([1, 2])).toBeUndefined();
});
