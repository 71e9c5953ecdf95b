import type { APIRequestContext } from "@playwright/test";
import { send } from "./api";

/** The most alerts in one notification of many. */
const BATCH = 2_000;

/** How long thousands of alerts may take until they are known, on a machine that does much else. */
export const MANY_MS = 240_000;

/** What a sender says beside the names of its alerts. */
interface Many {
  count: number;
  title: string;
  host: string;
}

/** Somebody who is signed in and sends alerts to a webhook channel of their own. */
export class Sender {
  private constructor(
    private readonly request: APIRequestContext,
    /** The channel. */
    readonly channel: number,
    private readonly token: string,
  ) {}

  /** `request` is that of a page that is signed in; without a `target`, nobody takes what is sent. */
  static async to(request: APIRequestContext, name: string, target = "http://127.0.0.1:9/"): Promise<Sender> {
    const { id, push_token } = await send(request, "POST", "/api/v1/channels", { name, platform: "webhook", target });
    return new Sender(request, id, push_token);
  }

  async send(alert: Record<string, string>): Promise<void> {
    await this.post(`/api/v1/push/${this.token}`, alert);
  }

  /** Many alerts of one host at once, as Alertmanager sends them: `title 1`, `title 2` and so on. */
  async sendMany({ count, title, host }: Many): Promise<void> {
    for (let from = 0; from < count; from += BATCH) {
      const alerts = Array.from({ length: Math.min(BATCH, count - from) }, (_, index) => ({
        status: "firing",
        labels: { alertname: `${title} ${from + index + 1}`, instance: host, severity: "warning" },
        annotations: { summary: `${title} ${from + index + 1}` },
        startsAt: new Date().toISOString(),
        fingerprint: `${host}-${from + index + 1}`,
      }));
      await this.post(`/api/v1/in/alertmanager/${this.token}`, { version: "4", status: "firing", alerts });
    }
  }

  private async post(path: string, data: unknown): Promise<void> {
    const answer = await this.request.post(path, { data });
    if (!answer.ok()) throw new Error(`sending: ${answer.status()} ${await answer.text()}`);
  }
}
