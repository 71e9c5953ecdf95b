import { expect, test } from "vitest";
import { inOrderOf } from "./sorted";

const itself = (value: string | number | undefined) => value;

test("numbers in names count as numbers, and what is absent stands last both ways", () => {
  const names = ["web-10", undefined, "web-9", "db"];
  expect(inOrderOf(names, itself, false, "en")).toEqual(["db", "web-9", "web-10", undefined]);
  expect(inOrderOf(names, itself, true, "en")).toEqual(["web-10", "web-9", "db", undefined]);
});

test("equal rows stay as they came, whichever way", () => {
  const rows = [
    { id: 1, count: 2 },
    { id: 2, count: 10 },
    { id: 3, count: 2 },
  ];
  const ids = (isDown: boolean) => inOrderOf(rows, ({ count }) => count, isDown, "en").map(({ id }) => id);
  expect(ids(false)).toEqual([1, 3, 2]);
  expect(ids(true)).toEqual([2, 1, 3]);
});
