import { screen, titleOf } from "@/app/screen";
import { WelcomeScreen } from "@/features/welcome/welcome-screen";

export const generateMetadata = titleOf("welcome");
export default screen(WelcomeScreen, "welcome", "connect", "deliveries", "match");
