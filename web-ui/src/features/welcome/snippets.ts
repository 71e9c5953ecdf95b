/** The senders that the guide knows. */
export const SOURCES = ["mail", "alertmanager", "grafana", "zabbix", "curl"] as const;
export type Source = (typeof SOURCES)[number];

/** Stands where the push token of a channel goes. */
const TOKEN = "PUSH_TOKEN";

/** What to write into a sender's settings so that it reaches the server at `here`. */
export function snippet(source: Source, here: Pick<Location, "origin" | "hostname">): string {
  const url = `${here.origin}/api/v1/push/${TOKEN}`;
  const texts: Record<Source, string> = {
    mail: `swaks --server ${here.hostname}:2525 --to alerts@${here.hostname} --from me@example.com \\
  --header "Subject: disk is 96 % full on db-1" --body "/var/lib/postgresql: 4 GB left"`,
    alertmanager: `receivers:
  - name: watchbell
    webhook_configs:
      - url: ${url}
        send_resolved: true`,
    grafana: `apiVersion: 1
contactPoints:
  - orgId: 1
    name: watchbell
    receivers:
      - uid: watchbell
        type: webhook
        settings: { url: "${url}" }`,
    zabbix: `Alerts → Media types → Email
  SMTP server: ${here.hostname}
  Port:        2525`,
    curl: `curl -X POST ${url} \\
  -H "Content-Type: application/json" \\
  -d '{"title": "disk is 96 % full on db-1", "severity": "critical"}'`,
  };
  return texts[source];
}
