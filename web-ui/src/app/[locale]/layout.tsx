import "../globals.css";
import type { Metadata, Viewport } from "next";
import type { ReactNode } from "react";
import { localeOf } from "@/app/screen";
import { Direction } from "@/components/ui/direction";
import { Toaster, Tooltips } from "@/components/ui/lazy";
import { ApiProvider } from "@/lib/api/provider";
import { Intls } from "@/lib/i18n/intl";
import { directionOf, LOCALES } from "@/lib/i18n/locales";
import { EVERYWHERE, loadMessages } from "@/lib/i18n/messages";
import { ShortcutProvider } from "@/lib/shortcuts";

export const dynamicParams = false;
export const generateStaticParams = () => LOCALES.map((locale) => ({ locale }));

export const metadata: Metadata = {
  title: { default: "Watchbell", template: "%s · Watchbell" },
  icons: { icon: "/icon.svg" },
  robots: { index: false, follow: false },
};

export const viewport: Viewport = {
  width: "device-width",
  initialScale: 1,
  themeColor: [
    { media: "(prefers-color-scheme: light)", color: "#f8f9fb" },
    { media: "(prefers-color-scheme: dark)", color: "#101217" },
  ],
};

export default async function Layout(props: { children: ReactNode; params: Promise<{ locale: string }> }) {
  const locale = await localeOf(props);
  const direction = directionOf(locale);
  return (
    // The theme is set by theme.js before React sees the page.
    <html lang={locale} dir={direction} suppressHydrationWarning>
      <head>
        <script src="/theme.js" />
      </head>
      <body>
        <Intls locale={locale} messages={await loadMessages(locale, EVERYWHERE)}>
          <Direction direction={direction}>
            <ApiProvider>
              <ShortcutProvider>
                {props.children}
                <Tooltips />
                <Toaster />
              </ShortcutProvider>
            </ApiProvider>
          </Direction>
        </Intls>
      </body>
    </html>
  );
}
