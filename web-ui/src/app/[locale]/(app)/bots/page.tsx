import { screen, titleOf } from "@/app/screen";
import { BotsScreen } from "@/features/bots/bots-screen";

export const generateMetadata = titleOf("bots");
export default screen(BotsScreen, "bots", "connect");
