import { screen, titleOf } from "@/app/screen";
import { SystemScreen } from "@/features/system/system-screen";

export const generateMetadata = titleOf("system");
export default screen(SystemScreen, "system");
