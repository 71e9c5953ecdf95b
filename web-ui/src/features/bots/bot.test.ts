import { expect, test } from "vitest";
import type { Platform } from "@/lib/platform-fields";
import { type Bot, bodyOf, draftOf, lastOf } from "./bot";

const field = (name: string, secret: boolean) => ({
  name,
  label: name,
  help: "",
  required: true,
  secret,
  input: "text",
  choices: [],
});
const email = { id: "email", bot: [field("host", false), field("password", true)] } as unknown as Platform;
const bot = {
  name: "relay",
  platform: "email",
  description: "",
  host: "mx",
  password_set: true,
  password_last4: "word",
};

test("a bot that is saved as it was shown keeps its secret", () => {
  const body = bodyOf(draftOf(bot as unknown as Bot, email), email);
  expect(body).toEqual({ name: "relay", platform: "email", description: "", host: "mx", password: "" });
});

test("a secret that is to go is sent as null", () => {
  const draft = draftOf(bot as unknown as Bot, email);
  draft.fields.password = null;
  expect(bodyOf(draft, email).password).toBeNull();
});

test("of a secret only its end is known", () => {
  expect(lastOf(bot as unknown as Bot, "password")).toBe("word");
  expect(lastOf({ password_set: false, password_last4: "" } as unknown as Bot, "password")).toBeUndefined();
});
