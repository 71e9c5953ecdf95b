import { ApiError } from "./errors";

/** What the server said about one field: `options.language: must be en, zh or fa`. */
export interface FieldError {
  field: string;
  message: string;
}

const OF_FIELD = /^([a-z_][\w.[\]]*): (.+)$/s;

/** The field that a refused request names, if it names one of `fields`; anything else belongs to the whole form. */
export function fieldErrorOf(error: unknown, fields: (field: string) => boolean): FieldError | undefined {
  if (!(error instanceof ApiError)) return undefined;
  const [, field, message] = OF_FIELD.exec(error.message) ?? [];
  return field && message && fields(field) ? { field, message } : undefined;
}
