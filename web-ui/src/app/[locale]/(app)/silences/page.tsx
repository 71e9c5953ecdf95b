import { screen, titleOf } from "@/app/screen";
import { SilencesScreen } from "@/features/silences/silences-screen";

export const generateMetadata = titleOf("silences");
export default screen(SilencesScreen, "silences", "match");
