import { screen, titleOf } from "@/app/screen";
import { ResetScreen } from "@/features/session/reset-screen";

export const generateMetadata = titleOf("session", "reset");
export default screen(ResetScreen, "session");
