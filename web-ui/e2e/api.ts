// The API as a signed-in page uses it, for what a journey needs but is not about.
import type { APIRequestContext } from "@playwright/test";

type Method = "POST" | "PUT" | "DELETE";

/** A change; fails with the server's own words. `request` is that of a page that is signed in. */
export async function send(request: APIRequestContext, method: Method, path: string, data?: unknown) {
  const { csrf_token } = await read(request, "/api/v1/me");
  const answer = await request.fetch(path, { method, data, headers: { "X-CSRF-Token": csrf_token } });
  if (!answer.ok()) throw new Error(`${method} ${path}: ${answer.status()} ${await answer.text()}`);
  return answer.status() === 204 ? undefined : answer.json();
}

export async function read(request: APIRequestContext, path: string) {
  const answer = await request.get(path);
  if (!answer.ok()) throw new Error(`GET ${path}: ${answer.status()} ${await answer.text()}`);
  return answer.json();
}
