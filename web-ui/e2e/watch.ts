import { expect, type Page } from "@playwright/test";

/** What the browser may load, by kind; styles alone may be inline. */
const POLICY = {
  "default-src": "'self'",
  "script-src": "'self'",
  "style-src": "'self' 'unsafe-inline'",
  "img-src": "'self' data:",
  "connect-src": "'self'",
  "frame-ancestors": "'none'",
  "base-uri": "'self'",
  "form-action": "'self'",
};

/** What must never happen on any screen; collected while a journey runs. */
export class Watch {
  private readonly complaints: string[] = [];
  /** Console errors that a journey causes on purpose. */
  private readonly expected: RegExp[] = [];

  constructor(
    page: Page,
    private readonly origin: string,
  ) {
    page.on("console", (message) => {
      // Answers with an error status are logged by the browser; the screens have to handle them.
      const isAnswer = message.text().startsWith("Failed to load resource: the server responded");
      if (message.type() === "error" && !isAnswer) this.complain(`console: ${message.text()}`);
    });
    page.on("pageerror", (error) => this.complain(`not caught: ${error.message}`));
    page.on("request", (request) => {
      const url = new URL(request.url());
      if (["http:", "https:", "ws:", "wss:"].includes(url.protocol) && url.origin !== this.origin) {
        this.complain(`asked another host: ${url.href}`);
      }
    });
    page.on("response", (response) => {
      const isOurs = response.url().startsWith(this.origin);
      if (isOurs && response.status() >= 500) this.complain(`${response.status()} from ${response.url()}`);
      if (isOurs && response.request().isNavigationRequest() && response.status() === 200) {
        const policy = policyOf(response.headers()["content-security-policy"] ?? "");
        if (JSON.stringify(policy) !== JSON.stringify(POLICY)) {
          this.complain(`${response.url()} has another content security policy: ${JSON.stringify(policy)}`);
        }
      }
    });
  }

  /** Allows complaints that match, because the journey takes the server away or breaks something on purpose. */
  expect(pattern: RegExp): void {
    this.expected.push(pattern);
  }

  /** Called after every journey. */
  verify(): void {
    expect(this.complaints, "console errors, policy violations and foreign requests").toEqual([]);
  }

  private complain(text: string): void {
    if (!this.expected.some((pattern) => pattern.test(text))) this.complaints.push(text);
  }
}

/** A header's directives by name. */
function policyOf(header: string): Record<string, string> {
  const directives = header.split(";").map((directive) => directive.trim().split(/\s+/));
  return Object.fromEntries(directives.map(([name, ...values]) => [name, values.join(" ")]));
}
