import { cva, type VariantProps } from "class-variance-authority";
import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

const badge = cva(
  "inline-flex h-5.5 w-fit items-center gap-1 whitespace-nowrap rounded-sm px-1.5 font-medium text-xs [&_svg]:size-3.5 [&_svg]:shrink-0",
  {
    variants: {
      tone: {
        neutral: "bg-hover text-ink",
        accent: "bg-accent-soft text-accent",
        critical: "bg-critical-soft text-critical",
        error: "bg-error-soft text-error",
        warning: "bg-warning-soft text-warning",
        info: "bg-info-soft text-info",
        success: "bg-success-soft text-success",
      },
    },
    defaultVariants: { tone: "neutral" },
  },
);

export type Tone = NonNullable<VariantProps<typeof badge>["tone"]>;

export function Badge({ className, tone, ...props }: ComponentProps<"span"> & { tone?: Tone }) {
  return <span className={cn(badge({ tone }), className)} {...props} />;
}
