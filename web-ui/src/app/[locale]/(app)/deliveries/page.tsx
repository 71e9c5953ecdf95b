import { screen, titleOf } from "@/app/screen";
import { DeliveriesScreen } from "@/features/deliveries/deliveries-screen";

export const generateMetadata = titleOf("deliveries");
export default screen(DeliveriesScreen, "deliveries");
