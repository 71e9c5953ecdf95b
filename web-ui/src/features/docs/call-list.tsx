"use client";

import { type ReactNode, useState } from "react";
import { useTranslations } from "use-intl";
import { Badge, type Tone } from "@/components/ui/badge";
import { type Call, jsonOf, type OpenApi, resolve, type Schema, typeOf } from "./document";

const TONES: Partial<Record<string, Tone>> = { GET: "info", POST: "success", PUT: "warning", DELETE: "critical" };

/** The calls by what they are about. The document speaks English, from left to right. */
export function CallList({ document, groups }: { document: OpenApi; groups: [tag: string, calls: Call[]][] }) {
  return (
    <div dir="ltr" lang="en" className="grid grid-cols-1 gap-6">
      {groups.map(([tag, calls]) => (
        <section key={tag} aria-label={tag} className="min-w-0">
          <h2 className="mb-2 font-semibold first-letter:uppercase">{tag}</h2>
          <div className="divide-y divide-line overflow-hidden rounded-lg border bg-surface">
            {calls.map((call) => (
              <CallRow key={`${call.method} ${call.path}`} call={call} document={document} />
            ))}
          </div>
        </section>
      ))}
    </div>
  );
}

/** One call; what it takes and gives is there once it is opened. */
function CallRow({ call, document }: { call: Call; document: OpenApi }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary className="flex cursor-pointer flex-wrap items-center gap-x-3 gap-y-1 px-4 py-2.5 outline-offset-[-2px] hover:bg-hover/60">
        <span className="w-16">
          <Badge tone={TONES[call.method]}>{call.method}</Badge>
        </span>
        <code className="break-all font-medium font-mono text-sm">{call.path}</code>
        <span className="text-muted text-sm">{call.summary}</span>
        {call["x-role"] && <Badge className="ms-auto">{call["x-role"]}</Badge>}
      </summary>
      {isOpen && <Details call={call} document={document} />}
    </details>
  );
}

function Details({ call, document }: { call: Call; document: OpenApi }) {
  const t = useTranslations("docs");
  const body = call.requestBody && jsonOf(call.requestBody);
  const answer = Object.entries(call.responses).find(([status]) => status.startsWith("2"))?.[1];
  const gives = answer && jsonOf(answer);
  return (
    <div className="grid gap-5 border-t bg-canvas px-4 py-4">
      {call.description && <p className="whitespace-pre-line text-sm">{call.description}</p>}
      {call.parameters && call.parameters.length > 0 && (
        <Part title={t("parameters")}>
          {call.parameters.map(({ name, in: where, required, description, schema }) => (
            <Row key={name} name={name} type={`${where}, ${typeOf(schema ?? {})}`} isRequired={required}>
              {description}
            </Row>
          ))}
        </Part>
      )}
      {body && <Fields title={t("body")} schema={body} document={document} />}
      {gives && <Fields title={t("answer")} schema={gives} document={document} />}
      <Part title={t("statuses")}>
        {Object.entries(call.responses).map(([status, { description }]) => (
          <Row key={status} name={status}>
            {description}
          </Row>
        ))}
      </Part>
    </div>
  );
}

/** The members of an object, each with its type. */
function Fields({ title, schema, document }: { title: string; schema: Schema; document: OpenApi }) {
  const { properties = {}, required = [] } = resolve(document, schema);
  return (
    <Part title={`${title}: ${typeOf(schema)}`}>
      {Object.entries(properties).map(([name, property]) => (
        <Row key={name} name={name} type={typeOf(property)} isRequired={required.includes(name)}>
          {property.description}
        </Row>
      ))}
    </Part>
  );
}

function Part({ title, children }: { title: string; children: ReactNode }) {
  return (
    <section>
      <h3 dir="auto" className="mb-2 font-medium text-sm">
        {title}
      </h3>
      <dl className="grid gap-x-6 gap-y-1.5 text-sm sm:grid-cols-[minmax(9rem,max-content)_1fr]">{children}</dl>
    </section>
  );
}

function Row({
  name,
  type,
  isRequired,
  children,
}: {
  name: string;
  type?: string;
  isRequired?: boolean;
  children?: ReactNode;
}) {
  const t = useTranslations("docs");
  return (
    <div className="contents">
      <dt className="break-all font-mono">{name}</dt>
      <dd className="min-w-0">
        {type && <code className="break-words text-muted text-xs">{type}</code>}{" "}
        {isRequired && <bdi className="text-xs">{t("required")}</bdi>}
        {children && <span className="block">{children}</span>}
      </dd>
    </div>
  );
}
