import { expect, test } from "vitest";
import { codeIn } from "./link-code";

test.each([
  ["http://127.0.0.1:8080/setup#wbl_x-1", "wbl_x-1"],
  ["#wbl_x-1", "wbl_x-1"],
  [" wbl_x-1\n", "wbl_x-1"],
  ["", ""],
])("the secret in %j is %j", (text, code) => {
  expect(codeIn(text)).toBe(code);
});
