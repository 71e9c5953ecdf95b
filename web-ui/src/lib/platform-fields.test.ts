import { expect, test } from "vitest";
import { type Field, sentOf, textOf } from "./platform-fields";

const field = (input: Field["input"]): Field => ({
  name: "x",
  label: "X",
  help: "",
  required: false,
  secret: false,
  input,
  choices: [],
});

test.each([
  ["number", 7],
  ["switch", false],
  ["headers", { "X-Team": "storage", Accept: "a: b" }],
  ["json", [{ text: "Runbook", url: "https://wiki.example.org" }]],
  ["choice", "fa"],
  ["lines", '{"text": "{{ .summary }}"}'],
] as const)("a field of %s is edited as text and sent as it was", (input, value) => {
  expect(sentOf(field(input), textOf(field(input), value))).toEqual(value);
});

test("what is blank is not sent, and what cannot be read is sent for the server to say why", () => {
  expect(sentOf(field("choice"), " ")).toBeUndefined();
  expect(sentOf(field("number"), "soon")).toBe("soon");
  expect(sentOf(field("headers"), "no colon")).toBe("no colon");
  expect(sentOf(field("json"), "[{")).toBe("[{");
});

test("a secret that is to go is sent as null", () => {
  expect(sentOf({ ...field("text"), secret: true }, null)).toBeNull();
});
