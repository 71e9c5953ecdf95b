import { expect, test } from "vitest";
import { sentOf, textOf } from "./platform-fields";

test.each([
  ["message_thread_id", 7],
  ["edit", false],
  ["headers", { "X-Team": "storage", Accept: "a: b" }],
  ["buttons", [{ text: "Runbook", url: "https://wiki.example.org" }]],
  ["language", "fa"],
  ["body", '{"text": "{{ .summary }}"}'],
])("%s is edited as text and sent as it was", (name, value) => {
  expect(sentOf(name, textOf(name, value))).toEqual(value);
});

test("what is blank is not sent, and what cannot be read is sent for the server to say why", () => {
  expect(sentOf("language", " ")).toBeUndefined();
  expect(sentOf("quiet_gap_s", "soon")).toBe("soon");
  expect(sentOf("headers", "no colon")).toBe("no colon");
  expect(sentOf("buttons", "[{")).toBe("[{");
});
