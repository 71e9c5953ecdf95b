import { expect, test } from "vitest";
import { bodyOf, draftOf, notNumber } from "./provider";

test("a new model has the server's defaults, and a blank key is not sent", () => {
  expect(bodyOf({ ...draftOf(), base_url: " http://10.0.0.5:11434/v1 ", model: "llama3" })).toEqual({
    kind: "openai",
    base_url: "http://10.0.0.5:11434/v1",
    model: "llama3",
    api_key: undefined,
    timeout: "20s",
    concurrency: 4,
    context_tokens: 8192,
    prompt_price: 0,
    completion_price: 0,
  });
});

test("what is no number is named", () => {
  expect(notNumber(draftOf())).toBeUndefined();
  expect(notNumber({ ...draftOf(), context_tokens: "8k" })).toBe("context_tokens");
  expect(notNumber({ ...draftOf(), prompt_price: "0.25" })).toBeUndefined();
  expect(notNumber({ ...draftOf(), completion_price: "two" })).toBe("completion_price");
});
