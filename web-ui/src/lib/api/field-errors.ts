import { ApiError } from "./errors";

const FIELD = /^([a-z_]+(?:\.[^\s:]+|\[\d+\])*): (.+)$/s;

/** The field that the server refused, and why: `name: must be …`. Nothing when it named none. */
export function refusedField(error: unknown): { field: string; why: string } | undefined {
  if (!(error instanceof ApiError) || error.status < 400 || error.status >= 500) return undefined;
  const [, field, why] = FIELD.exec(error.message) ?? [];
  return field && why ? { field, why } : undefined;
}
