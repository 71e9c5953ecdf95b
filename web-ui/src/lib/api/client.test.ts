import { expect, test, vi } from "vitest";
import { client } from "./client";
import { ApiError } from "./errors";

function answers(...responses: (Response | Error)[]) {
  const asked: Request[] = [];
  vi.stubGlobal("fetch", async (request: Request) => {
    asked.push(request);
    const response = responses.shift();
    if (response instanceof Response) return response;
    throw response;
  });
  return asked;
}

test("what changes something carries the token of the session, what reads does not", async () => {
  const asked = answers(Response.json({ csrf_token: "tok" }), new Response(null, { status: 204 }));
  await client.GET("/api/v1/me", { fetch: globalThis.fetch });
  await client.POST("/api/v1/auth/logout", { fetch: globalThis.fetch });
  expect(asked.map((request) => request.headers.get("X-CSRF-Token"))).toEqual([null, "tok"]);
});

test("a refusal is thrown as what the server said", async () => {
  const error = { code: "UNAUTHORIZED", message: "invalid credentials", request_id: "req_2" };
  answers(Response.json({ error }, { status: 401 }));
  await expect(client.GET("/api/v1/me", { fetch: globalThis.fetch })).rejects.toMatchObject({
    status: 401,
    requestId: "req_2",
  });
});

test("no answer is an error of the network", async () => {
  answers(new TypeError("fetch failed"));
  const asked = client.GET("/api/v1/me", { fetch: globalThis.fetch });
  await expect(asked).rejects.toBeInstanceOf(ApiError);
  await expect(asked).rejects.toMatchObject({ code: "NETWORK" });
});
