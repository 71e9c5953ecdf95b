import { expect, test } from "vitest";
import type { Platform } from "@/lib/platform-fields";
import { bodyOf, type Channel, draftOf, isCount } from "./channel";

const field = (name: string, secret = false, input = "text") => ({
  name,
  label: name,
  help: "",
  required: false,
  secret,
  input,
  choices: [],
});
const webhook = {
  id: "webhook",
  title: "Webhook",
  bot: [],
  fields: [field("target"), field("headers", false, "headers"), field("authorization", true)],
} as unknown as Platform;

const channel = {
  id: 2,
  name: "ops",
  platform: "webhook",
  target: "https://example.org/hook",
  options: { headers: { "X-Team": "db" }, authorization_set: true },
  rate_per_min: 60,
  dedup_window_s: 0,
  templates: [{ template_id: 3, condition: "severity eq critical", is_default: false, sort_order: 0 }],
} as unknown as Channel;

test("a channel that is saved as it was shown keeps everything, and its secrets are not sent", () => {
  expect(bodyOf(draftOf(channel, webhook), webhook)).toEqual({
    name: "ops",
    platform: "webhook",
    bot_id: undefined,
    target: "https://example.org/hook",
    options: { headers: { "X-Team": "db" } },
    rate_per_min: 60,
    dedup_window_s: 0,
    templates: [{ template_id: 3, condition: "severity eq critical", is_default: false }],
  });
});

test("a new secret is sent", () => {
  const draft = draftOf(channel, webhook);
  draft.fields.authorization = "Bearer new";
  expect(bodyOf(draft, webhook).options).toMatchObject({ authorization: "Bearer new" });
});

test("a secret that is to go is sent as null", () => {
  const draft = draftOf(channel, webhook);
  draft.fields.authorization = null;
  expect(bodyOf(draft, webhook).options).toMatchObject({ authorization: null });
});

test.each([
  ["", true],
  ["60", true],
  ["-1", false],
  ["1.5", false],
  ["many", false],
])("%j as a count: %s", (text, isOne) => expect(isCount(text)).toBe(isOne));
