"use client";

import dynamic from "next/dynamic";

/** The place of the notices; fetched after the page can be used. */
export const Toaster = dynamic(() => import("./toast-region").then((module) => module.ToastRegion), { ssr: false });
