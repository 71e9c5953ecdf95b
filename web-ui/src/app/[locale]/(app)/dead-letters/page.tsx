import { screen, titleOf } from "@/app/screen";
import { DeadLettersScreen } from "@/features/dead-letters/dead-letters-screen";

export const generateMetadata = titleOf("dead-letters");
export default screen(DeadLettersScreen, "dead-letters");
