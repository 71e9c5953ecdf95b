import { screen, titleOf } from "@/app/screen";
import { AuditScreen } from "@/features/audit/audit-screen";

export const generateMetadata = titleOf("audit");
export default screen(AuditScreen, "audit");
