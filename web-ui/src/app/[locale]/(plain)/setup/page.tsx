import { screen, titleOf } from "@/app/screen";
import { SetupScreen } from "@/features/session/setup-screen";

export const generateMetadata = titleOf("session", "setup");
export default screen(SetupScreen, "session");
