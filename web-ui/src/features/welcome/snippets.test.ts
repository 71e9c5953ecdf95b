import { expect, test } from "vitest";
import { SOURCES, snippet } from "./snippets";

test.each(SOURCES)("the snippet for %s names the server that is looked at", (source) => {
  const text = snippet(source, { origin: "https://bell.example:8443", hostname: "bell.example" });
  expect(text).toContain("bell.example");
});
