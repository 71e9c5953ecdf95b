"use client";

import { Controller, useForm, useWatch } from "react-hook-form";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { EditorDrawer } from "@/components/ui/editor-drawer";
import { ErrorState } from "@/components/ui/error-state";
import { Field } from "@/components/ui/field";
import { Textarea } from "@/components/ui/input";
import { Select } from "@/components/ui/select";
import { toast } from "@/components/ui/toast";
import { api } from "@/lib/api/client";
import { refusedField } from "@/lib/api/field-errors";
import { useBindingsChanged } from "./binding-actions";
import { addressesOf, type Binding, MODES } from "./gateway";

const FORM = "binding-form";

/** From where a key may be used. */
export function BindingEditor({ binding, onClose }: { binding: Binding; onClose: () => void }) {
  const t = useTranslations("gateway.editor");
  const modes = useTranslations("gateway.bindings.modes");
  const changed = useBindingsChanged();
  const { register, control, handleSubmit, formState } = useForm({
    defaultValues: { mode: binding.mode, addresses: binding.addresses.join("\n") },
  });
  const mode = useWatch({ control, name: "mode" });
  const save = api.useMutation("put", "/api/v1/gateway/bindings/{id}");
  const refused = refusedField(save.error);
  const submit = handleSubmit(async ({ mode, addresses }) => {
    const body = { mode, addresses: addressesOf(addresses) };
    try {
      await save.mutateAsync({ body, params: { path: { id: binding.id } } });
    } catch {
      return; // It is shown below.
    }
    await changed();
    toast(t("saved"));
    onClose();
  });
  return (
    <EditorDrawer
      title={t("title")}
      description={<bdi className="font-mono">{binding.masked}</bdi>}
      isDirty={formState.isDirty}
      onClose={onClose}
      footer={(leave) => (
        <>
          <Button onClick={leave}>{t("cancel")}</Button>
          <Button variant="primary" type="submit" form={FORM} isBusy={save.isPending}>
            {t("save")}
          </Button>
        </>
      )}
    >
      <form id={FORM} onSubmit={submit} noValidate className="grid gap-5">
        <Field label={t("mode")} hint={t(`hints.${mode}`)}>
          {(wiring) => (
            <Controller
              control={control}
              name="mode"
              render={({ field }) => (
                <Select
                  {...wiring}
                  value={field.value}
                  onValueChange={field.onChange}
                  options={MODES.map((value) => ({ value, label: modes(value) }))}
                />
              )}
            />
          )}
        </Field>
        <Field label={t("addresses")} hint={t("addressesHint")} error={refused && <bdi>{refused.why}</bdi>}>
          {(wiring) => <Textarea dir="ltr" className="font-mono" {...wiring} {...register("addresses")} />}
        </Field>
        <p className="text-muted text-sm">{t("soon")}</p>
        {save.error && !refused && <ErrorState error={save.error} isInline />}
      </form>
    </EditorDrawer>
  );
}
