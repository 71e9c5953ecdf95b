import type { ExternalToast } from "sonner";

type Show = (message: string, options?: ExternalToast) => void;

/** Short notices of what was done, with an undo where there is one: `toast(t("saved"))`. Fetched with the first. */
export const toast: Show & { error: Show } = Object.assign(
  ((message, options) => void import("sonner").then((sonner) => sonner.toast(message, options))) as Show,
  {
    error: ((message, options) => void import("sonner").then((sonner) => sonner.toast.error(message, options))) as Show,
  },
);
