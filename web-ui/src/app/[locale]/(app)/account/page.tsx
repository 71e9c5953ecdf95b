import { screen, titleOf } from "@/app/screen";
import { AccountScreen } from "@/features/account/account-screen";

export const generateMetadata = titleOf("account");
export default screen(AccountScreen, "account");
