import { expect, test } from "vitest";
import { ApiError } from "./errors";
import { refusedField } from "./field-errors";

const said = (message: string, status = 400) => refusedField(new ApiError(status, "VALIDATION", message));

test("the field and the reason are taken apart", () => {
  expect(said("name: must be 1 to 64 characters")).toEqual({ field: "name", why: "must be 1 to 64 characters" });
  expect(said("match.labels.team: `[a` is not a valid glob: `[` is never closed")).toEqual({
    field: "match.labels.team",
    why: "`[a` is not a valid glob: `[` is never closed",
  });
});

test("what names no field is not one", () => {
  expect(said("needs `from` or `source`, or it would mute everything")).toBeUndefined();
  expect(said("name: broken", 500)).toBeUndefined();
  expect(refusedField(new Error("name: broken"))).toBeUndefined();
});
