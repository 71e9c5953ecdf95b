import { screen, titleOf } from "@/app/screen";
import { TeamScreen } from "@/features/team/team-screen";

export const generateMetadata = titleOf("team");
export default screen(TeamScreen, "team");
