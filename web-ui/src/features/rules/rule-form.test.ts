import { expect, test } from "vitest";
import { ANYTHING } from "@/components/match/match-form";
import { bodyOf, bodyOfRule, formFieldOf, moved, type Rule, ruleFormOf } from "./rule-form";

const RULE: Rule = {
  id: 7,
  name: "databases",
  enabled: false,
  match: { ...ANYTHING, system: "db*", labels: { env: "prod" } },
  channels: [1, 2],
  continue: true,
  set_severity: "warning",
  escalate: { severity_at_least: "critical", channels: [3] },
  active: { days: ["mon", "tue"], from: "08:00", to: "18:00", timezone: "Asia/Tehran" },
  ai_max_wait: "5s",
  provisioned: false,
  created_at: "2026-01-01T00:00:00Z",
  updated_at: "2026-01-01T00:00:00Z",
  created_by: "",
};

test("a rule comes back from the form as it went in", () => {
  expect(bodyOf(ruleFormOf(RULE))).toEqual(bodyOfRule(RULE));
});

test("what is switched off is not sent", () => {
  const body = bodyOf({ ...ruleFormOf(RULE), hasHours: false, escalates: false });
  expect(body.active).toBeNull();
  expect(body.escalate).toBeNull();
});

test("a field that the server refused is found in the form", () => {
  const form = ruleFormOf(RULE);
  expect(formFieldOf("name", form)).toBe("name");
  expect(formFieldOf("match.labels.env", form)).toBe("match.labels.0.glob");
  expect(formFieldOf("active.timezone", form)).toBe("hours.timezone");
  expect(formFieldOf("active.days[0]", form)).toBe("hours.from");
  expect(formFieldOf("channels[1]", form)).toBe("channels");
  expect(formFieldOf("something", form)).toBeUndefined();
});

test("an item moves up and down without losing another", () => {
  expect(moved(["a", "b", "c", "d"], 0, 2)).toEqual(["b", "c", "a", "d"]);
  expect(moved(["a", "b", "c", "d"], 3, 0)).toEqual(["d", "a", "b", "c"]);
  expect(moved(["a", "b"], 1, 1)).toEqual(["a", "b"]);
});
