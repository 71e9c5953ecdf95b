// The server answers every unknown path with this page and status 404.
import { screen } from "@/app/screen";
import { NotFound } from "@/components/shell/not-found";

export default screen(NotFound);
