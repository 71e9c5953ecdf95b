import { expect, test } from "vitest";
import { ApiError, errorOf, kindOf, passesByItself } from "./errors";

test("the envelope becomes an error with its code, its words and its request id", async () => {
  const body = { error: { code: "CONFLICT", message: "a channel is called ops", request_id: "req_1" } };
  const error = await errorOf(Response.json(body, { status: 409 }));
  expect(error).toMatchObject({
    status: 409,
    code: "CONFLICT",
    message: "a channel is called ops",
    requestId: "req_1",
  });
  expect(kindOf(error)).toBe("conflict");
});

test("an answer of something else than our server is told by its status", async () => {
  const error = await errorOf(new Response("<html>bad gateway</html>", { status: 502, statusText: "Bad Gateway" }));
  expect(error).toMatchObject({ status: 502, code: "UNKNOWN", message: "Bad Gateway", requestId: undefined });
  expect(kindOf(error)).toBe("unavailable");
});

test.each([
  [0, "network", true],
  [400, "invalid", false],
  [401, "unauthorized", false],
  [404, "missing", false],
  [429, "tooMany", false],
  [500, "server", false],
  [503, "unavailable", true],
])("status %i is of the kind %s", (status, kind, passes) => {
  const error = new ApiError(status, "X", "x");
  expect(kindOf(error)).toBe(kind);
  expect(passesByItself(error)).toBe(passes);
});

test("an error of our own code is of no known kind", () => {
  expect(kindOf(new TypeError("x is not a function"))).toBe("unknown");
});
