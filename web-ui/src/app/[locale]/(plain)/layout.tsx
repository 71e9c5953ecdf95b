import type { ReactNode } from "react";
import { PlainFrame } from "@/components/shell/plain-frame";

/** What can be seen without the shell. */
export default function Layout({ children }: { children: ReactNode }) {
  return <PlainFrame>{children}</PlainFrame>;
}
