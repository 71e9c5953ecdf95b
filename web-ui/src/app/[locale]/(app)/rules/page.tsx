import { screen, titleOf } from "@/app/screen";
import { RulesScreen } from "@/features/rules/rules-screen";

export const generateMetadata = titleOf("rules");
export default screen(RulesScreen, "rules", "match");
