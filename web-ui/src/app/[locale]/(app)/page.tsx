import { screen, titleOf } from "@/app/screen";
import { OverviewScreen } from "@/features/overview/overview-screen";

export const generateMetadata = titleOf("overview");
export default screen(OverviewScreen, "overview");
