import type { components } from "@/lib/api/schema";

export type Provider = components["schemas"]["AiProviderView"];
type Body = components["schemas"]["AiProviderBody"];

export const KINDS = ["openai", "ollama"] as const;

/** The fields of the form, by the names that the server gives them. */
export const FIELDS = [
  "base_url",
  "model",
  "api_key",
  "timeout",
  "concurrency",
  "context_tokens",
  "prompt_price",
  "completion_price",
] as const;
export type FieldName = (typeof FIELDS)[number];

/** A model while it is edited: text, as it stands in the controls. */
export type Draft = Record<FieldName, string> & { kind: (typeof KINDS)[number] };

export function draftOf(provider?: Provider): Draft {
  return {
    kind: provider?.kind ?? "openai",
    base_url: provider?.base_url ?? "",
    model: provider?.model ?? "",
    // What is there never comes back.
    api_key: "",
    timeout: provider?.timeout ?? "20s",
    concurrency: String(provider?.concurrency ?? 4),
    context_tokens: String(provider?.context_tokens ?? 8192),
    prompt_price: String(provider?.prompt_price ?? 0),
    completion_price: String(provider?.completion_price ?? 0),
  };
}

/** The first field that holds no number where there has to be one. */
export function notNumber(draft: Draft): FieldName | undefined {
  const whole = (["concurrency", "context_tokens"] as const).find((name) => !/^\d*$/.test(draft[name].trim()));
  const isPrice = (text: string) => /^\d*(\.\d+)?$/.test(text.trim());
  return whole ?? (["prompt_price", "completion_price"] as const).find((name) => !isPrice(draft[name]));
}

/** What is sent for a draft. A blank key is not in it, and so stays as it is. */
export function bodyOf(draft: Draft): Body {
  const number = (text: string) => (text.trim() === "" ? undefined : Number(text));
  return {
    kind: draft.kind,
    base_url: draft.base_url.trim(),
    model: draft.model.trim(),
    api_key: draft.api_key.trim() || undefined,
    timeout: draft.timeout.trim() || undefined,
    concurrency: number(draft.concurrency),
    context_tokens: number(draft.context_tokens),
    prompt_price: number(draft.prompt_price),
    completion_price: number(draft.completion_price),
  };
}
