import { screen, titleOf } from "@/app/screen";
import { ChannelsScreen } from "@/features/channels/channels-screen";

export const generateMetadata = titleOf("channels");
export default screen(ChannelsScreen, "channels", "connect");
