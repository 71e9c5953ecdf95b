"use client";

import { BrokenScreen } from "@/components/ui/broken-screen";

/** A screen that broke; the rest of the shell goes on. */
export default function Failed(props: { error: Error; reset: () => void }) {
  return <BrokenScreen {...props} />;
}
