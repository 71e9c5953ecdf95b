import { screen, titleOf } from "@/app/screen";
import { AlertsScreen } from "@/features/alerts/alerts-screen";

export const generateMetadata = titleOf("alerts");
export default screen(AlertsScreen, "alerts", "deliveries", "match");
