import { screen, titleOf } from "@/app/screen";
import { AiScreen } from "@/features/ai/ai-screen";

export const generateMetadata = titleOf("ai");
export default screen(AiScreen, "ai", "connect");
