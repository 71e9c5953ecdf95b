import type { ReactNode } from "react";
import { Link } from "@/components/ui/link";
import { ProvisionedBadge } from "@/components/ui/provisioned";
import { Td } from "@/components/ui/table";

/** The cell that leads from a table to one of its things. */
export function NameCell({
  href,
  name,
  description,
  provisioned,
  badge,
}: {
  href: string;
  name: string;
  description?: string;
  provisioned: boolean;
  /** What else is to be known of it at once. */
  badge?: ReactNode;
}) {
  return (
    <Td>
      <div className="flex flex-wrap items-center gap-x-2 py-1.5">
        <Link href={href} className="font-medium hover:text-accent hover:underline">
          <bdi>{name}</bdi>
        </Link>
        {provisioned && <ProvisionedBadge />}
        {badge}
        {description && <bdi className="w-full text-muted text-sm">{description}</bdi>}
      </div>
    </Td>
  );
}
