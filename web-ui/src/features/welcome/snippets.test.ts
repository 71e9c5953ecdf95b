import { expect, test } from "vitest";
import { BY_MAIL, SOURCES, snippet } from "./snippets";

const HERE = { origin: "https://bell.example:8443", hostname: "bell.example" };

test.each(SOURCES)(
  "the snippet for %s names the server that is looked at, and the token where one is needed",
  (source) => {
    const text = snippet(source, HERE, { host: null, port: 2526 }, "tok-1");
    expect(text).toContain("bell.example");
    expect(text.includes("tok-1")).toBe(!BY_MAIL.includes(source));
    expect(text.includes("2526")).toBe(BY_MAIL.includes(source));
  },
);
