"use client";

import NextLink from "next/link";
import { useRouter } from "next/navigation";
import { type ComponentProps, useState } from "react";
import { useLocale } from "use-intl";

type Props = Omit<ComponentProps<typeof NextLink>, "href" | "prefetch"> & {
  /** Without the language: `/alerts/`. */
  href: string;
};

/** A link to a screen in the current language. What it leads to is fetched when it is pointed at, not before. */
export function Link({ href, ...props }: Props) {
  const path = `/${useLocale()}${href}`;
  const router = useRouter();
  const [isFetched, setFetched] = useState(false);
  const prefetch = () => {
    if (isFetched) return;
    setFetched(true);
    router.prefetch(path);
  };
  return <NextLink href={path} prefetch={false} onPointerEnter={prefetch} onFocus={prefetch} {...props} />;
}
