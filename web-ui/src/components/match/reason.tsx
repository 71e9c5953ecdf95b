"use client";

import { useFormatter, useTranslations } from "use-intl";
import { SEVERITIES } from "@/components/ui/severity";
import { readReason } from "./reasons";

/** Why an alert goes where it goes, in the viewer's language; in the server's words where there are no others. */
export function Reason({ text }: { text: string }) {
  const t = useTranslations("match");
  const severity = useTranslations("common.severity");
  const format = useFormatter();
  const read = readReason(text);
  if (!read) return <bdi>{text}</bdi>;
  const word = (written: string | undefined) => {
    const known = SEVERITIES.find((each) => each === written);
    return known ? severity(known) : written;
  };
  return (
    <span>
      {t.rich(`reasons.${read.kind}`, {
        rule: () => <Name>{read.rule}</Name>,
        channels: () =>
          format.list(
            (read.channels ?? []).map((name) => <Name key={name}>{name}</Name>),
            { type: "unit" },
          ),
        severity: () => <b className="font-medium">{word(read.severity)}</b>,
        before: () => word(read.before),
        comment: () => <bdi>{read.comment}</bdi>,
        until: () => read.until && format.dateTime(read.until, { dateStyle: "medium", timeStyle: "short" }),
      })}
    </span>
  );
}

function Name({ children }: { children: string | undefined }) {
  return <bdi className="font-medium wrap-anywhere">{children}</bdi>;
}
