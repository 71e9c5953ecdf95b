import { screen, titleOf } from "@/app/screen";
import { GatewayScreen } from "@/features/gateway/gateway-screen";

export const generateMetadata = titleOf("gateway");
export default screen(GatewayScreen, "gateway");
