import { expect, test } from "vitest";
import { endOf, localOf } from "./expiry";

const NOW = new Date(2026, 0, 5, 9, 7).getTime();

test("a span counts from now", () => {
  expect(endOf("4h", "", NOW)).toEqual(new Date(2026, 0, 5, 13, 7));
});

test("a moment of one's own is one of the viewer's clock and comes back as it was", () => {
  const end = endOf("custom", "2026-01-06T18:30", NOW);
  expect(end).toEqual(new Date(2026, 0, 6, 18, 30));
  expect(end && localOf(end)).toBe("2026-01-06T18:30");
});

test("half a date is none", () => {
  expect(endOf("custom", "", NOW)).toBeUndefined();
});
