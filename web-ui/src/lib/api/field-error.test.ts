import { expect, test } from "vitest";
import { ApiError } from "./errors";
import { fieldErrorOf } from "./field-error";

const refused = (message: string) => new ApiError(400, "VALIDATION", message);

test("an error names its field only where the form has it", () => {
  const has = (field: string) => field === "options.language";
  expect(fieldErrorOf(refused("options.language: must be en, zh or fa"), has)).toEqual({
    field: "options.language",
    message: "must be en, zh or fa",
  });
  expect(fieldErrorOf(refused("name: is missing"), has)).toBeUndefined();
  expect(fieldErrorOf(refused("template_id not found"), () => true)).toBeUndefined();
  expect(fieldErrorOf(new Error("name: is missing"), () => true)).toBeUndefined();
});
