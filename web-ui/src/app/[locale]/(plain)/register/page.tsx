import { screen, titleOf } from "@/app/screen";
import { RegisterScreen } from "@/features/session/register-screen";

export const generateMetadata = titleOf("session", "register");
export default screen(RegisterScreen, "session");
