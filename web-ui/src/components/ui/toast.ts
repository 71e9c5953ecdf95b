/** Short notices of what was done, with an undo where there is one: `toast(t("saved"))`. */
export { toast } from "sonner";
