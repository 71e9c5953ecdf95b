// Every screen with something on it, in all languages and both themes: axe finds nothing, and (by `Watch`) the console
// is silent, nobody else is asked, and the content security policy is the strict one.
import { type Page, request as requests } from "@playwright/test";
import { expectAccessible, picture } from "./accessible";
import { test as base, expect, OWNER } from "./fixtures";
import { type Seed, seed } from "./seed";

const LOCALES = ["en", "zh", "fa"] as const;

type Session = Awaited<ReturnType<Awaited<ReturnType<typeof requests.newContext>>["storageState"]>>;

const test = base.extend<object, { seeded: { seed: Seed; session: Session } }>({
  // A server of its own: what is on it is for all journeys of this file, and changed by none.
  seeded: [
    async ({ server }, use) => {
      const request = await requests.newContext({ baseURL: server.url });
      await request.post("/api/v1/auth/login", { data: OWNER });
      await use({ seed: await seed(request, server), session: await request.storageState() });
      await request.dispose();
    },
    { scope: "worker" },
  ],
});

interface Screen {
  path: string | ((seed: Seed) => string);
  /** Machine text that is on it in all languages, once it is complete. */
  shows?: string;
  /** The same, where it stands in a control. */
  holds?: [selector: string, value: string];
}

const SCREENS: Record<string, Screen> = {
  overview: { path: "/", shows: "gone-pager" },
  alerts: { path: "/alerts/", shows: "web-1" },
  "alerts that a filter leaves none of": { path: "/alerts/?q=nosuchword" },
  "an alert": { path: ({ alert }) => `/alerts/?id=${alert}`, shows: "zabbix@monitor.example" },
  deliveries: { path: "/deliveries/", shows: "gone-pager" },
  "a delivery": { path: ({ delivery }) => `/deliveries/?id=${delivery}`, shows: "200 OK" },
  "dead letters": { path: "/dead-letters/", shows: "Backup failed" },
  "a dead letter": { path: ({ deadLetter }) => `/dead-letters/?id=${deadLetter}`, shows: "gone-pager" },
  rules: { path: "/rules/", shows: "databases at night" },
  "a rule": { path: ({ rule }) => `/rules/?id=${rule}`, holds: ["[name=name]", "databases at night"] },
  "the tester of rules": { path: ({ event }) => `/rules/?test=${event}`, shows: "everything else" },
  silences: { path: "/silences/", shows: "the lab moves" },
  "a new silence": { path: "/silences/?new=1&subject=*disk*", holds: ["[name='match.subject']", "*disk*"] },
  mutes: { path: "/mutes/", shows: "a newsletter" },
  "a new mute": { path: "/mutes/?new=1&from=x@*", holds: ["[name=from]", "x@*"] },
  channels: { path: "/channels/", shows: "night-log" },
  "a channel": { path: ({ channel }) => `/channels/?id=${channel}`, holds: ["form input", "ops-hook"] },
  "a new channel": { path: "/channels/?new=1" },
  bots: { path: "/bots/", shows: "duty-bot" },
  "a bot": { path: ({ bot }) => `/bots/?id=${bot}`, holds: ["form input", "duty-bot"] },
  templates: { path: "/templates/", shows: "in-two-directions" },
  "a template": { path: ({ template }) => `/templates/?id=${template}`, holds: ["form input", "in-two-directions"] },
  models: { path: "/ai/", shows: "small-model" },
  "a model": { path: ({ provider }) => `/ai/?id=${provider}`, shows: "small-model" },
  gateway: { path: "/gateway/" },
  people: { path: "/team/?tab=people", shows: "owner@example.com" },
  invitations: { path: "/team/?tab=invites", shows: "/register#" },
  tokens: { path: "/team/?tab=tokens", shows: "nightly-script" },
  audit: { path: "/audit/", shows: "databases at night" },
  system: { path: "/system/", shows: "branch-office" },
  "the documentation of the API": { path: "/docs/?q=silences+preview", shows: "/api/v1/silences/preview" },
  account: { path: "/account/", shows: "Playwright/" },
  "the guide, sources": { path: "/welcome/?step=sources", shows: "Certificate expires" },
  "the guide, channels": { path: "/welcome/?step=channel", shows: "ops-hook" },
  "the guide, route": { path: "/welcome/?step=route", shows: "everything else" },
  "the guide, model": { path: "/welcome/?step=model", shows: "small-model" },
};

/** For those who are not signed in. */
const DOORS: Record<string, Screen> = {
  login: { path: "/login/" },
  "set-up": { path: "/setup/#wbl_x" },
  registration: { path: "/register/#code" },
  "a new password": { path: "/reset/#wbl_x" },
  "an unknown address": { path: "/not-found/" },
};

const DESK = { width: 1280, height: 720 };
const PHONE = { width: 390, height: 844 };

/** Nothing stands beyond the edge of the screen, at the desk and on a phone. */
async function expectNoSidewaysScroll(page: Page, name: string): Promise<void> {
  for (const size of [PHONE, DESK]) {
    await page.setViewportSize(size);
    const beyond = () => page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
    await expect.poll(beyond, `pixels beyond an edge at ${size.width}`).toBeLessThanOrEqual(0);
    if (size === PHONE) await picture(page, `${name}, phone`);
  }
}

for (const [name, screen] of [...Object.entries(SCREENS), ...Object.entries(DOORS)]) {
  test(`${name}: accessible and quiet in all languages and both themes`, async ({ page, seeded }) => {
    test.slow();
    if (name in SCREENS) await page.context().addCookies(seeded.session.cookies);
    const path = typeof screen.path === "string" ? screen.path : screen.path(seeded.seed);
    for (const locale of LOCALES) {
      // A part after `#` alone would load nothing.
      await page.goto("about:blank");
      await page.goto(`/${locale}${path}`);
      if (screen.shows) await expect(page.getByText(screen.shows).filter({ visible: true }).first()).toBeVisible();
      if (screen.holds) await expect(page.locator(screen.holds[0]).first()).toHaveValue(screen.holds[1]);
      await expect(page.getByRole("heading").first()).toBeVisible();
      await expect(page.locator("[data-skeleton], [aria-busy=true]")).toHaveCount(0);
      await expectAccessible(page, `${name} in ${locale}`);
      await expectNoSidewaysScroll(page, `${name} in ${locale}`);
    }
  });
}
