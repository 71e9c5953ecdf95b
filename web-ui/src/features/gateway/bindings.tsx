"use client";

import { Ban, KeyRound, Pencil, SearchX } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { useTranslations } from "use-intl";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { EmptyState } from "@/components/ui/empty-state";
import { LoadPages } from "@/components/ui/load";
import { SearchInput } from "@/components/ui/search-input";
import { Select } from "@/components/ui/select";
import { SortTh, useSort } from "@/components/ui/sort";
import { Table, Td, Th, Tr } from "@/components/ui/table";
import { RelativeTime } from "@/components/ui/time";
import { usePages } from "@/lib/api/pages";
import { useSession } from "@/lib/session";
import { useUrlState } from "@/lib/use-url-state";
import { BlockBinding, UnbindBinding } from "./binding-actions";
import { type Binding, MODES, type Mode } from "./gateway";

// The form is fetched when it is first opened.
const BindingEditor = dynamic(() => import("./binding-editor").then((module) => module.BindingEditor), {
  loading: () => null,
});

/** Addresses that a row shows; the others are counted. */
const ADDRESSES_SHOWN = 3;

/** The filter by a mode; the one called `all` would be taken for no filter. */
const filterOf = (mode: Mode) => (mode === "all" ? "anywhere" : mode);

/** Everything that is bound, newest first. */
export function Bindings() {
  const t = useTranslations("gateway.bindings");
  const { mayEdit } = useSession();
  const [params, change] = useUrlState();
  const [edited, setEdited] = useState<Binding>();
  const q = params.get("q") ?? "";
  const show = params.get("show") ?? "all";
  const mode = MODES.find((each) => filterOf(each) === show);
  const blocked = show === "blocked" ? true : undefined;
  const pages = usePages("/api/v1/gateway/bindings", { q: q || undefined, mode, blocked });
  const isFiltered = q !== "" || show !== "all";
  const none = isFiltered ? "nothing" : "empty";
  return (
    <>
      <div className="mb-4 flex flex-wrap gap-2">
        <SearchInput
          className="w-72 max-sm:w-full"
          label={t("search")}
          value={q}
          onChange={(words) => change({ q: words })}
        />
        <Select
          aria-label={t("show")}
          className="ms-auto w-48 max-sm:w-full"
          value={show}
          onValueChange={(value) => change({ show: value === "all" ? undefined : value })}
          options={[
            { value: "all", label: t("everything") },
            ...MODES.map((value) => ({ value: filterOf(value), label: t(`modes.${value}`) })),
            { value: "blocked", label: t("blocked") },
          ]}
        />
      </div>
      <LoadPages
        pages={pages}
        nothing={
          <EmptyState icon={isFiltered ? SearchX : KeyRound} title={t(`${none}.title`)}>
            {t(`${none}.text`)}
          </EmptyState>
        }
      >
        {(bindings) => (
          <BindingTable bindings={bindings} isWhole={!pages.hasNextPage} onEdit={mayEdit ? setEdited : undefined} />
        )}
      </LoadPages>
      {edited && <BindingEditor binding={edited} onClose={() => setEdited(undefined)} />}
    </>
  );
}

function BindingTable({
  bindings,
  isWhole,
  onEdit,
}: {
  bindings: Binding[];
  /** No more pages are to come. */
  isWhole: boolean;
  onEdit?: (binding: Binding) => void;
}) {
  const t = useTranslations("gateway.bindings");
  const { sorted, sorting } = useSort(
    bindings,
    {
      key: ({ masked }) => masked,
      mode: ({ mode, blocked }) => (blocked ? MODES.length : MODES.indexOf(mode)),
      addresses: ({ addresses }) => addresses.join(),
      used: ({ last_used_at }) => last_used_at,
    },
    isWhole,
  );
  return (
    <Table>
      <thead>
        <Tr>
          <SortTh column="key" sorting={sorting}>
            {t("columns.key")}
          </SortTh>
          <SortTh column="mode" sorting={sorting} className="max-sm:hidden">
            {t("columns.mode")}
          </SortTh>
          <SortTh column="addresses" sorting={sorting} className="w-full max-sm:hidden">
            {t("columns.addresses")}
          </SortTh>
          <SortTh column="used" sorting={sorting} className="text-end max-sm:hidden">
            {t("columns.used")}
          </SortTh>
          {onEdit && (
            <Th>
              <span className="sr-only">{t("columns.actions")}</span>
            </Th>
          )}
        </Tr>
      </thead>
      <tbody>
        {sorted.map((binding) => (
          <Tr key={binding.id}>
            <Td className="whitespace-nowrap max-sm:w-full max-sm:py-2">
              <bdi className="font-mono text-sm">{binding.masked}</bdi>
              <div className="grid gap-1 sm:hidden">
                <Where binding={binding} />
                <Addresses binding={binding} />
              </div>
            </Td>
            <Td className="max-sm:hidden">
              <Where binding={binding} />
            </Td>
            <Td className="max-sm:hidden">
              <Addresses binding={binding} />
            </Td>
            <Td className="text-end text-muted max-sm:hidden">
              <RelativeTime at={binding.last_used_at} />
            </Td>
            {onEdit && (
              <Td>
                <span className="flex justify-end">
                  <Button
                    variant="ghost"
                    size="icon"
                    aria-label={t("edit", { key: binding.masked })}
                    onClick={() => onEdit(binding)}
                  >
                    <Pencil aria-hidden />
                  </Button>
                  <BlockBinding binding={binding} />
                  <UnbindBinding binding={binding} />
                </span>
              </Td>
            )}
          </Tr>
        ))}
      </tbody>
    </Table>
  );
}

/** From how many addresses, and whether at all. */
function Where({ binding: { mode, blocked } }: { binding: Binding }) {
  const t = useTranslations("gateway.bindings");
  return (
    <span className="flex gap-1">
      <Badge>{t(`modes.${mode}`)}</Badge>
      {blocked && (
        <Badge tone="critical">
          <Ban aria-hidden />
          {t("blocked")}
        </Badge>
      )}
    </span>
  );
}

function Addresses({ binding: { mode, addresses } }: { binding: Binding }) {
  const t = useTranslations("gateway.bindings");
  if (mode === "all") return <span className="text-muted">{t("anywhere")}</span>;
  const more = addresses.length - ADDRESSES_SHOWN;
  return (
    <span className="flex flex-wrap gap-x-3 gap-y-0.5">
      {addresses.slice(0, ADDRESSES_SHOWN).map((address) => (
        <bdi key={address} className="whitespace-nowrap font-mono text-sm">
          {address}
        </bdi>
      ))}
      {more > 0 && <span className="text-muted text-sm">{t("more", { count: more })}</span>}
    </span>
  );
}
