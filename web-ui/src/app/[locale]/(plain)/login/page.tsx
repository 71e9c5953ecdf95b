import { screen, titleOf } from "@/app/screen";
import { LoginScreen } from "@/features/session/login-screen";

export const generateMetadata = titleOf("session");
export default screen(LoginScreen, "session");
