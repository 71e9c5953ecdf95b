import { expect, test } from "vitest";
import { describeAgent } from "./agent";

test.each([
  ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox · Linux"],
  [
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/143.0 Safari/537.36 Edg/143.0",
    "Edge · Windows",
  ],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19.0 Safari/604.1", "Safari · iOS"],
  ["curl/8.5.0", "curl"],
  ["backup.sh", "backup.sh"],
  ["", "?"],
])("%s is %s", (agent, name) => {
  expect(describeAgent(agent)).toBe(name);
});
