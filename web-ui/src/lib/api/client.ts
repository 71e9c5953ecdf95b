import createFetchClient, { type Middleware } from "openapi-fetch";
import createQueryClient from "openapi-react-query";
import { chosenTenant, TENANT_HEADER } from "../tenant";
import { ApiError, errorOf } from "./errors";
import type { paths } from "./schema";

const SAFE = ["GET", "HEAD", "OPTIONS"];

// The token belongs to the session; the server tells it with every answer about the session.
let csrfToken: string | undefined;

/** Takes the token out of an answer that has one. */
async function learnCsrfToken(response: Response): Promise<void> {
  const body: unknown = await response.clone().json();
  if (typeof body === "object" && body !== null && "csrf_token" in body && typeof body.csrf_token === "string") {
    csrfToken = body.csrf_token;
  }
}

const TELLS_TOKEN = /\/api\/v1\/(me|auth\/[a-z]+)$/;

const middleware: Middleware = {
  onRequest({ request }) {
    if (!SAFE.includes(request.method) && csrfToken) request.headers.set("X-CSRF-Token", csrfToken);
    const tenant = chosenTenant();
    if (tenant) request.headers.set(TENANT_HEADER, tenant);
    return request;
  },
  async onResponse({ request, response }) {
    if (!response.ok) throw await errorOf(response);
    if (response.status !== 204 && TELLS_TOKEN.test(new URL(request.url).pathname)) await learnCsrfToken(response);
  },
  onError({ error }) {
    if (error instanceof ApiError || (error instanceof DOMException && error.name === "AbortError")) return;
    return new ApiError(0, "NETWORK", "the server did not answer");
  },
};

/** The API for code outside of components. A failure is always thrown, as an `ApiError`. */
export const client = createFetchClient<paths>({
  baseUrl: typeof window === "undefined" ? undefined : window.location.origin,
  credentials: "same-origin",
});
client.use(middleware);

/** The API for components: `api.useQuery("get", "/api/v1/alerts", …)`, `api.useMutation("post", …)`. */
export const api = createQueryClient(client);
