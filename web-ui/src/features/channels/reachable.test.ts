import { expect, test } from "vitest";
import { reachable } from "./reachable";

test("a command names the address that the dashboard was opened at, unless the server knows its own", () => {
  const opened = "https://bell.example:8443";
  expect(reachable("curl -sS http://127.0.0.1:0/api/v1/push/abc", opened)).toBe(`curl -sS ${opened}/api/v1/push/abc`);
  const own = "curl -sS https://alerts.example.org/api/v1/push/abc";
  expect(reachable(own, opened)).toBe(own);
});
