/** The senders that the guide knows. */
export const SOURCES = ["mail", "alertmanager", "grafana", "zabbix", "curl"] as const;
export type Source = (typeof SOURCES)[number];

/** Those that need no token: they send mail. */
export const BY_MAIL: readonly Source[] = ["mail", "zabbix"];

/** What to write into a sender's settings so that it reaches the server at `here`, its `mail` door, or a channel by its token. */
export function snippet(
  source: Source,
  here: Pick<Location, "origin" | "hostname">,
  mail: { host?: string | null; port: number },
  token: string,
): string {
  const host = mail.host ?? here.hostname;
  const texts: Record<Source, string> = {
    mail: `swaks --server ${host.includes(":") ? `[${host}]` : host}:${mail.port} --from me@example.com --to alerts@${here.hostname} \\
  --header "Subject: CRITICAL: disk is 96 % full on db-1" --body "/var/lib/postgresql: 4 GB left"`,
    alertmanager: `receivers:
  - name: watchbell
    webhook_configs:
      - url: ${here.origin}/api/v1/in/alertmanager
        http_config:
          authorization: { credentials: ${token} }
        send_resolved: true`,
    grafana: `apiVersion: 1
contactPoints:
  - orgId: 1
    name: watchbell
    receivers:
      - uid: watchbell
        type: webhook
        settings: { url: "${here.origin}/api/v1/push/${token}" }`,
    zabbix: `Alerts → Media types → Email
  SMTP server: ${host}
  Port:        ${mail.port}`,
    curl: `curl ${here.origin}/api/v1/push/${token} \\
  -H "Content-Type: application/json" \\
  -d '{"title": "disk is 96 % full on db-1", "severity": "critical"}'`,
  };
  return texts[source];
}
