"use client";

import { useQuery } from "@tanstack/react-query";
import { FileJson } from "lucide-react";
import dynamic from "next/dynamic";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Load } from "@/components/ui/load";
import { NothingMatches } from "@/components/ui/nothing-matches";
import { Page } from "@/components/ui/page";
import { SearchInput } from "@/components/ui/search-input";
import { errorOf } from "@/lib/api/errors";
import { useUrlState } from "@/lib/use-url-state";
import { callsOf, type OpenApi } from "./document";

const CallList = dynamic(() => import("./call-list").then((module) => module.CallList), { loading: () => null });

const DOCUMENT = "/api/openapi.json";

async function readDocument(): Promise<OpenApi> {
  const answer = await fetch(DOCUMENT);
  if (!answer.ok) throw await errorOf(answer);
  return answer.json();
}

/** Everything that a program can ask of this server, from the document that the server gives. */
export function DocsScreen() {
  const t = useTranslations("docs");
  const [params, change] = useUrlState();
  const words = params.get("q") ?? "";
  const query = useQuery({ queryKey: [DOCUMENT], queryFn: readDocument, staleTime: Number.POSITIVE_INFINITY });
  const download = (
    <Button asChild>
      <a href={DOCUMENT}>
        <FileJson aria-hidden />
        {t("document")}
      </a>
    </Button>
  );
  return (
    <Page title={t("title")} description={t("description")} actions={download}>
      <SearchInput className="mb-6 max-w-md" label={t("search")} value={words} onChange={(q) => change({ q })} />
      <Load query={query}>
        {(document) => {
          const groups = callsOf(document, words);
          if (groups.length === 0) return <NothingMatches onClear={() => change({ q: undefined })} />;
          return <CallList document={document} groups={groups} />;
        }}
      </Load>
    </Page>
  );
}
