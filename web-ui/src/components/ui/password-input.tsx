"use client";

import { Eye, EyeOff } from "lucide-react";
import { type ComponentProps, useState } from "react";
import { useTranslations } from "use-intl";
import { Input } from "./input";

/** A password, hidden until one wants to see what was typed. */
export function PasswordInput(props: Omit<ComponentProps<"input">, "type" | "dir">) {
  const t = useTranslations("common");
  const [isShown, setShown] = useState(false);
  const Icon = isShown ? EyeOff : Eye;
  return (
    <div dir="ltr" className="relative">
      <Input {...props} type={isShown ? "text" : "password"} className="pe-10" />
      <button
        type="button"
        aria-label={isShown ? t("hidePassword") : t("showPassword")}
        onClick={() => setShown(!isShown)}
        className="absolute inset-y-0 end-0 grid w-9 place-items-center rounded-md text-muted hover:text-ink"
      >
        <Icon className="size-4" aria-hidden />
      </button>
    </div>
  );
}
