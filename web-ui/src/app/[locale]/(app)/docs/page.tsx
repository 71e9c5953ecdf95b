import { screen, titleOf } from "@/app/screen";
import { DocsScreen } from "@/features/docs/docs-screen";

export const generateMetadata = titleOf("docs");
export default screen(DocsScreen, "docs");
