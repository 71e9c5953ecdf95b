// Sends mail as a monitoring system does: over SMTP, to the server's mail door.
import { connect } from "node:net";
import { createInterface } from "node:readline";

export interface Mail {
  from: string;
  to: string;
  subject: string;
  text: string;
  /** What `text` is; plain text when absent. */
  type?: string;
}

/** Hands a mail to `address`, which is `host:port`; returns when the server has taken it. */
export async function sendMail(address: string, { from, to, subject, text, type = "text/plain" }: Mail): Promise<void> {
  const [host, port] = address.split(":");
  const socket = connect(Number(port), host);
  const answers = createInterface({ input: socket })[Symbol.asyncIterator]();
  const expectCode = async (code: string) => {
    let line = "";
    // All lines of an answer but the last have a dash behind the code.
    do {
      const next = await answers.next();
      if (next.done) throw new Error("the mail server hung up");
      line = next.value;
    } while (line[3] === "-");
    if (!line.startsWith(code)) throw new Error(`the mail server said ${line}`);
  };
  const say = async (line: string, code: string) => {
    socket.write(`${line}\r\n`);
    await expectCode(code);
  };
  try {
    await expectCode("220");
    await say("EHLO sender.example", "250");
    await say(`MAIL FROM:<${from}>`, "250");
    await say(`RCPT TO:<${to}>`, "250");
    await say("DATA", "354");
    const head = [`From: ${from}`, `To: ${to}`, `Subject: ${subject}`, `Content-Type: ${type}; charset=utf-8`];
    await say(`${head.join("\r\n")}\r\n\r\n${text}\r\n.`, "250");
    socket.write("QUIT\r\n");
  } finally {
    socket.end();
  }
}
