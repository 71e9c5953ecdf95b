import {
  ArchiveX,
  Bell,
  BellOff,
  BookOpen,
  Bot,
  FileText,
  KeyRound,
  LayoutDashboard,
  type LucideIcon,
  Megaphone,
  ScrollText,
  Send,
  ServerCog,
  Sparkles,
  Split,
  Users,
  VolumeX,
} from "lucide-react";
import type { Messages } from "use-intl";

export interface Place {
  id: keyof Messages["shell"]["nav"];
  /** Without the language. */
  href: string;
  icon: LucideIcon;
  /** Pressed after `g`. */
  key?: string;
}

interface Group {
  id: keyof Messages["shell"]["groups"];
  places: Place[];
}

/** All places of the dashboard, in the order of the sidebar. */
export const NAVIGATION: Group[] = [
  {
    id: "watch",
    places: [
      { id: "overview", href: "/", icon: LayoutDashboard, key: "o" },
      { id: "alerts", href: "/alerts/", icon: Bell, key: "a" },
      { id: "deliveries", href: "/deliveries/", icon: Send, key: "d" },
      { id: "dead-letters", href: "/dead-letters/", icon: ArchiveX, key: "x" },
    ],
  },
  {
    id: "route",
    places: [
      { id: "rules", href: "/rules/", icon: Split, key: "r" },
      { id: "silences", href: "/silences/", icon: BellOff, key: "s" },
      { id: "mutes", href: "/mutes/", icon: VolumeX, key: "m" },
    ],
  },
  {
    id: "connect",
    places: [
      { id: "channels", href: "/channels/", icon: Megaphone, key: "c" },
      { id: "bots", href: "/bots/", icon: Bot, key: "b" },
      { id: "templates", href: "/templates/", icon: FileText, key: "t" },
      { id: "ai", href: "/ai/", icon: Sparkles, key: "i" },
      { id: "gateway", href: "/gateway/", icon: KeyRound, key: "k" },
    ],
  },
  {
    id: "manage",
    places: [
      { id: "team", href: "/team/", icon: Users },
      { id: "audit", href: "/audit/", icon: ScrollText },
      { id: "system", href: "/system/", icon: ServerCog },
      { id: "docs", href: "/docs/", icon: BookOpen },
    ],
  },
];

export const PLACES = NAVIGATION.flatMap((group) => group.places);
