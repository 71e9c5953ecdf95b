import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { ALERTMANAGER, FIELD_NAMES, FUNCTION_NAMES, fieldSource } from "./vocabulary";

const guide = readFileSync("../docs/guide/templates.md", "utf8");

/** What stands between a heading and the next one. */
const section = (heading: string) => guide.split(`\n## ${heading}\n`)[1]?.split("\n## ")[0] ?? "";

/** The names in the first column of the rows of a table. */
const named = (text: string, name: RegExp) =>
  text
    .split("\n")
    .filter((line) => line.startsWith("| `"))
    .flatMap((line) => [...(line.split("|")[1] ?? "").matchAll(name)].map(([, found]) => found));

/** There are no functions among the data that it could call. */
const USELESS = ["call"];

describe("what the editor offers", () => {
  it("is what the guide names, which is what the engine knows", () => {
    const fields = named(section("What a template sees"), /`\.(\w+)`/g);
    expect([...FIELD_NAMES].sort()).toEqual(fields.sort());
    const functions = named(section("Functions"), /`(\w+)[^`]*`/g).filter((name) => !USELESS.includes(String(name)));
    expect([...FUNCTION_NAMES].sort()).toEqual(functions.sort());
    const paragraph =
      section("What a template sees").split("From Alertmanager's templates:")[1]?.split("\n\n")[0] ?? "";
    const theirs = [...paragraph.matchAll(/`\.(\w+)`/g)].map(([, name]) => name);
    expect([...ALERTMANAGER].sort()).toEqual(theirs.sort());
  });

  it("writes labels in a way that the engine reads", () => {
    expect(fieldSource("host")).toBe("{{ .host }}");
    expect(fieldSource("disk.free")).toBe('{{ index .labels "disk.free" }}');
  });
});
