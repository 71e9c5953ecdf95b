import { screen, titleOf } from "@/app/screen";
import { MutesScreen } from "@/features/mutes/mutes-screen";

export const generateMetadata = titleOf("mutes");
export default screen(MutesScreen, "mutes", "match");
