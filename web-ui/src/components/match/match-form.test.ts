import { expect, test } from "vitest";
import { ANYTHING, conditionOf, formOf, type Match, matchesAll, matchOf, NO_CONDITIONS } from "./match-form";

const MATCH: Match = {
  ...ANYTHING,
  from: "*@db.local",
  severity_at_least: "error",
  labels: { team: "core", "a.b": "x*" },
};

test("conditions come back from the form as they went in", () => {
  expect(matchOf(formOf(MATCH))).toEqual(MATCH);
});

test("what is left empty is no condition", () => {
  const form = { ...NO_CONDITIONS, subject: "  ", labels: [{ name: " ", glob: "x" }] };
  expect(matchOf(form)).toEqual(ANYTHING);
  expect(matchesAll(matchOf(form))).toBe(true);
  expect(matchesAll(MATCH)).toBe(false);
});

test("a field that the server refused is found in the form", () => {
  const form = formOf(MATCH);
  expect(conditionOf("match.from", form)).toBe("match.from");
  expect(conditionOf("match.labels.a.b", form)).toBe("match.labels.1.glob");
  expect(conditionOf("name", form)).toBeUndefined();
});
