import { expect, test } from "vitest";
import { returnPath } from "./login-screen";

test.each([
  ["/en/alerts/?id=alr_1", "/en/alerts/?id=alr_1"],
  [null, "/en/"],
  ["https://evil.example/", "/en/"],
  ["//evil.example/", "/en/"],
])("after signing in, %s leads to %s", (next, expected) => {
  expect(returnPath(next, "en")).toBe(expected);
});
