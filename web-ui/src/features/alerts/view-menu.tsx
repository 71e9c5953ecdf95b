"use client";

import { Bookmark, BookmarkPlus, Link2, Trash2 } from "lucide-react";
import { type FormEvent, useState } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Dialog } from "@/components/ui/dialog";
import { Field } from "@/components/ui/field";
import { Input } from "@/components/ui/input";
import { Menu, MenuChoice, MenuItem, MenuSeparator } from "@/components/ui/menu";
import { toast } from "@/components/ui/toast";
import { useViews } from "./views";

/** Saved views: lists with a name. */
export function ViewMenu({ query, onOpen }: { query: string; onOpen: (query: string) => void }) {
  const t = useTranslations("alerts.views");
  const { saved, save, remove } = useViews();
  const [name, setName] = useState<string>();
  const current = saved.find((view) => view.query === query);
  const copyLink = () => navigator.clipboard.writeText(window.location.href).then(() => toast(t("copied")));
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (!name?.trim()) return;
    save({ name: name.trim(), query });
    setName(undefined);
  };
  return (
    <>
      <Menu
        trigger={
          <Button>
            <Bookmark aria-hidden />
            {current ? <bdi>{current.name}</bdi> : t("title")}
          </Button>
        }
      >
        {saved.map((view) => (
          <MenuChoice key={view.name} isChosen={view === current} onSelect={() => onOpen(view.query)}>
            <bdi>{view.name}</bdi>
          </MenuChoice>
        ))}
        {saved.length > 0 && <MenuSeparator />}
        <MenuItem onSelect={() => setName("")}>
          <BookmarkPlus aria-hidden />
          {t("save")}
        </MenuItem>
        <MenuItem onSelect={() => void copyLink()}>
          <Link2 aria-hidden />
          {t("copyLink")}
        </MenuItem>
        {current && (
          <MenuItem onSelect={() => remove(current.name)}>
            <Trash2 aria-hidden />
            {t("remove", { name: current.name })}
          </MenuItem>
        )}
      </Menu>
      <Dialog
        open={name !== undefined}
        onOpenChange={() => setName(undefined)}
        title={t("save")}
        description={t("saveHint")}
      >
        <form onSubmit={submit} className="grid gap-4">
          <Field label={t("name")}>
            {(wiring) => <Input {...wiring} value={name ?? ""} onChange={(event) => setName(event.target.value)} />}
          </Field>
          <Button type="submit" variant="primary" className="justify-self-end" disabled={!name?.trim()}>
            {t("save")}
          </Button>
        </form>
      </Dialog>
    </>
  );
}
