import { screen, titleOf } from "@/app/screen";
import { TemplatesScreen } from "@/features/templates/templates-screen";

export const generateMetadata = titleOf("templates");
export default screen(TemplatesScreen, "templates", "connect");
