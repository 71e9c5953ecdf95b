import { cva, type VariantProps } from "class-variance-authority";
import { LoaderCircle } from "lucide-react";
import { Slot } from "radix-ui";
import type { ComponentProps } from "react";
import { cn } from "@/lib/cn";

const button = cva(
  "inline-flex shrink-0 select-none items-center justify-center gap-2 whitespace-nowrap rounded-md font-medium transition-colors disabled:pointer-events-none disabled:opacity-55 aria-disabled:opacity-55 [&_svg]:size-4 [&_svg]:shrink-0",
  {
    variants: {
      variant: {
        primary: "bg-accent text-on-accent shadow-raised hover:bg-accent-hover",
        secondary: "border bg-surface text-ink shadow-raised hover:bg-hover",
        ghost: "text-ink hover:bg-hover",
        danger: "border border-critical/30 bg-critical-soft text-critical hover:border-critical",
      },
      size: {
        sm: "h-7 px-2.5 text-sm",
        md: "h-9 px-3.5 text-base",
        icon: "size-9",
      },
    },
    defaultVariants: { variant: "secondary", size: "md" },
  },
);

type Props = ComponentProps<"button"> &
  VariantProps<typeof button> & {
    /** Gives the looks to the only child, which is a link. */
    asChild?: boolean;
    /** Work is under way; the button cannot be pressed again and says so. */
    isBusy?: boolean;
  };

export function Button({ className, variant, size, asChild, isBusy, disabled, children, ...props }: Props) {
  const classes = cn(button({ variant, size }), className);
  if (asChild) {
    return (
      <Slot.Root className={classes} {...props}>
        {children}
      </Slot.Root>
    );
  }
  return (
    <button type="button" className={classes} disabled={disabled || isBusy} aria-busy={isBusy} {...props}>
      {isBusy && <LoaderCircle className="animate-spin" aria-hidden />}
      {children}
    </button>
  );
}
