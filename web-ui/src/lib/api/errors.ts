/** What the server said, or that it could not be reached. Every failed request becomes one of these. */
export class ApiError extends Error {
  override readonly name = "ApiError";

  constructor(
    /** The HTTP status; 0 when there was no answer. */
    readonly status: number,
    /** The server's stable code, or `NETWORK`. */
    readonly code: string,
    message: string,
    /** Finds the request in the server's log. */
    readonly requestId?: string,
  ) {
    super(message);
  }
}

/** Reads the error envelope `{"error":{"code","message","request_id"}}`; anything else is told by its status. */
export async function errorOf(response: Response): Promise<ApiError> {
  const body: unknown = await response.json().catch(() => undefined);
  const error = isEnvelope(body) ? body.error : undefined;
  const message = error?.message ?? response.statusText;
  return new ApiError(response.status, error?.code ?? "UNKNOWN", message, error?.request_id);
}

interface Envelope {
  error: { code?: string; message?: string; request_id?: string };
}

function isEnvelope(body: unknown): body is Envelope {
  return typeof body === "object" && body !== null && "error" in body && typeof body.error === "object";
}

/** The kinds of failure that have a sentence of advice in `messages/<locale>/errors.json`. */
export const ERROR_KINDS = [
  "network",
  "unauthorized",
  "forbidden",
  "missing",
  "conflict",
  "tooLarge",
  "tooMany",
  "invalid",
  "unavailable",
  "server",
  "unknown",
] as const;
export type ErrorKind = (typeof ERROR_KINDS)[number];

const KINDS: Record<number, ErrorKind> = {
  0: "network",
  401: "unauthorized",
  403: "forbidden",
  404: "missing",
  409: "conflict",
  413: "tooLarge",
  429: "tooMany",
  502: "unavailable",
  503: "unavailable",
  504: "unavailable",
};

export function kindOf(error: unknown): ErrorKind {
  if (!(error instanceof ApiError)) return "unknown";
  const known = KINDS[error.status];
  if (known) return known;
  return error.status >= 500 ? "server" : "invalid";
}

/** Whether the same request can succeed later without anyone changing anything. */
export function passesByItself(error: unknown): boolean {
  return ["network", "unavailable"].includes(kindOf(error));
}
