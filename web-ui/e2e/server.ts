import { type ChildProcess, spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const BINARY = process.env.JOURNEY_BINARY ?? fileURLToPath(new URL("../../target/debug/watchbell", import.meta.url));
const READY_MS = 90_000;
const STOP_MS = 15_000;

/** The owner of a server that is started `WITH_OWNER`. */
export const OWNER = { email: "owner@example.com", password: "correct horse battery staple" };
export const WITH_OWNER = {
  WATCHBELL_BOOTSTRAP_ADMIN_EMAIL: OWNER.email,
  WATCHBELL_BOOTSTRAP_ADMIN_PASSWORD: OWNER.password,
};

/** A real `watchbell serve` on ports of its own, with a data folder of its own. */
export class Server {
  /** Everything it has printed. */
  log = "";
  private child: ChildProcess | undefined;
  private ports = { http: "127.0.0.1:0", smtp: "127.0.0.1:0" };

  private constructor(
    readonly dataDir: string,
    private readonly settings: Record<string, string>,
  ) {}

  /** Starts it and returns when it is ready. `settings` are environment variables: `WATCHBELL_…`. */
  static async start(settings: Record<string, string> = {}): Promise<Server> {
    if (!existsSync(BINARY)) throw new Error(`${BINARY} is missing: run \`cargo build --bin watchbell\` first`);
    const server = new Server(await mkdtemp(join(tmpdir(), "watchbell-journey-")), settings);
    await server.run();
    return server;
  }

  get url(): string {
    return `http://${this.ports.http}`;
  }

  /** Where mail goes, as `host:port`. */
  get smtp(): string {
    return this.ports.smtp;
  }

  /** Stops and starts it again with the same data on the same ports. */
  async restart(): Promise<void> {
    await this.halt();
    await this.run();
  }

  /** Stops it and removes its data. */
  async stop(): Promise<void> {
    await this.halt();
    await rm(this.dataDir, { recursive: true, force: true });
  }

  private async run(): Promise<void> {
    const child: ChildProcess = spawn(BINARY, ["serve"], {
      env: {
        NODE_ENV: "test",
        PATH: process.env.PATH ?? "",
        WATCHBELL_DATA_DIR: this.dataDir,
        WATCHBELL_HTTP_LISTEN: this.ports.http,
        WATCHBELL_SMTP_LISTEN: this.ports.smtp,
        // Those who receive the journeys' messages are on this machine.
        WATCHBELL_OUTBOUND_ALLOW_PRIVATE: "127.0.0.0/8",
        ...this.settings,
      },
      stdio: ["ignore", "pipe", "pipe"],
    });
    this.child = child;
    this.log = "";
    const ready = new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`watchbell is not ready:\n${this.log}`)), READY_MS);
      const settle = (then: () => void) => {
        clearTimeout(timer);
        then();
      };
      const hear = (chunk: Buffer) => {
        this.log += chunk.toString();
        if (this.learnPorts()) settle(resolve);
      };
      child.stdout?.on("data", hear);
      child.stderr?.on("data", hear);
      child.once("exit", (code) => settle(() => reject(new Error(`watchbell ended with ${code}:\n${this.log}`))));
    });
    await ready;
  }

  /** Reads the addresses out of what it prints when it is ready. */
  private learnPorts(): boolean {
    const smtp = /smtp:\/\/(\S+)/.exec(this.log)?.[1];
    const http = /webhooks\s+http:\/\/([^/\s]+)/.exec(this.log)?.[1];
    if (!smtp || !http || !/readyz/.test(this.log)) return false;
    this.ports = { http, smtp };
    return true;
  }

  private async halt(): Promise<void> {
    const child = this.child;
    if (!child || child.exitCode !== null) return;
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.kill("SIGTERM");
    const timer = setTimeout(() => child.kill("SIGKILL"), STOP_MS);
    await ended;
    clearTimeout(timer);
  }
}
