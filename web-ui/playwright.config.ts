import { existsSync } from "node:fs";
import { delimiter, join } from "node:path";
import { defineConfig } from "@playwright/test";

const NAMES = ["chromium", "chromium-browser", "google-chrome"];

/** The system's browser, or the one that `CHROMIUM` names; Playwright's own builds are not fetched. */
function findChromium(): string {
  const { CHROMIUM, PATH = "" } = process.env;
  const folders = [...PATH.split(delimiter), "/usr/bin", "/snap/bin"];
  const places = CHROMIUM ? [CHROMIUM] : folders.flatMap((folder) => NAMES.map((name) => join(folder, name)));
  const found = places.find((place) => existsSync(place));
  if (found) return found;
  const missing = CHROMIUM ? `there is no ${CHROMIUM}, which CHROMIUM names` : "there is no Chromium";
  throw new Error(`${missing}: install it (Debian: apt-get install chromium), or name one with CHROMIUM=/path/to/it`);
}

export default defineConfig({
  testDir: "e2e",
  outputDir: "test-results",
  // Each worker has a server and a browser of its own.
  workers: 2,
  fullyParallel: true,
  forbidOnly: true,
  // Long enough for a machine that does other things too; nothing waits when it need not.
  timeout: 120_000,
  expect: { timeout: 20_000 },
  reporter: [["list"]],
  projects: [
    // What is measured runs alone, and before the others have made the machine busy.
    { name: "budget", testMatch: "budget.spec.ts", use: { trace: "off" } },
    {
      name: "journeys",
      testIgnore: "budget.spec.ts",
      dependencies: ["budget"],
      // A browser on a machine that does other things misses a moment now and then: once may be chance, and the list
      // names it as flaky; a journey that fails twice is broken. The second try has a server of its own, as every
      // worker has.
      retries: 1,
    },
  ],
  use: {
    browserName: "chromium",
    launchOptions: { executablePath: findChromium(), args: ["--no-sandbox", "--disable-dev-shm-usage"] },
    timezoneId: "Asia/Tehran",
    // Of each failure, also of one that did not happen again, the page is kept at every step; a film of all that is well
    // would cost half of the time.
    trace: { mode: "retain-on-failure", screenshots: false },
  },
});
