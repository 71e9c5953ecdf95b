import { expect, test } from "vitest";
import { callsOf, type OpenApi, resolve, typeOf } from "./document";

const document: OpenApi = {
  info: { version: "1" },
  paths: {
    "/rules": {
      get: { tags: ["rules"], responses: {} },
      post: { tags: ["rules"], summary: "Makes one", responses: {} },
    },
    "/me": { get: { tags: ["you"], responses: {} } },
  },
  components: { schemas: { Rule: { properties: { name: { type: "string" } } } } },
};

test("calls are found by all of the words, and stand by what they are about", () => {
  const found = (words: string) => callsOf(document, words).map(([tag, calls]) => [tag, calls.length]);
  expect(found("")).toEqual([
    ["rules", 2],
    ["you", 1],
  ]);
  expect(found("post MAKES")).toEqual([["rules", 1]]);
  expect(found("nothing like it")).toEqual([]);
});

test("a schema is named in a few words", () => {
  expect(typeOf({ type: ["string", "null"] })).toBe("string | null");
  expect(typeOf({ items: { $ref: "#/components/schemas/Rule" } })).toBe("Rule[]");
  expect(typeOf({ enum: ["a", "b"] })).toBe('"a" | "b"');
  expect(resolve(document, { $ref: "#/components/schemas/Rule" }).properties).toHaveProperty("name");
});
