"use client";

import { ArrowRight, Check } from "lucide-react";
import dynamic from "next/dynamic";
import type { ComponentType } from "react";
import { useTranslations } from "use-intl";
import { Button } from "@/components/ui/button";
import { Link } from "@/components/ui/link";
import { SkeletonRows } from "@/components/ui/skeleton";
import { cn } from "@/lib/cn";
import { useUrlState } from "@/lib/use-url-state";

// Each step is fetched when it is reached.
const loading = () => <SkeletonRows count={3} />;
const SourceStep = dynamic(() => import("./source-step").then((module) => module.SourceStep), { loading });
const ChannelStep = dynamic(() => import("./channel-step").then((module) => module.ChannelStep), { loading });
const RouteStep = dynamic(() => import("./route-step").then((module) => module.RouteStep), { loading });
const ModelStep = dynamic(() => import("./model-step").then((module) => module.ModelStep), { loading });

export const STEPS = ["sources", "channel", "route", "model"] as const;
export type Step = (typeof STEPS)[number];

/** The guided five minutes. Each step can be left out and come back to; the step stands in the URL. */
export function WelcomeScreen() {
  const t = useTranslations("welcome");
  const [params, change] = useUrlState();
  const step = STEPS.find((each) => each === params.get("step")) ?? STEPS[0];
  const Content = CONTENTS[step];
  const next = STEPS[STEPS.indexOf(step) + 1];
  return (
    <div className="mx-auto grid w-full max-w-5xl grid-cols-1 gap-8 px-4 py-6 sm:px-6 md:grid-cols-[14rem_1fr] md:gap-12 md:py-12">
      <div>
        <h1 className="font-semibold text-xl">{t("title")}</h1>
        <p className="mt-1 text-muted">{t("description")}</p>
        <StepList current={step} onChoose={(chosen) => change({ step: chosen })} />
      </div>
      <section aria-labelledby="step-title" className="min-w-0">
        <h2 id="step-title" className="font-semibold text-2xl">
          {t(`${step}.title`)}
        </h2>
        <p className="mt-1 mb-6 text-muted">{t(`${step}.text`)}</p>
        <Content />
        <footer className="mt-8 flex items-center justify-between gap-3 border-t pt-5">
          <Button asChild variant="ghost" className="-ms-3.5 text-muted">
            <Link href="/">{t("later")}</Link>
          </Button>
          {next ? (
            <Button variant="primary" onClick={() => change({ step: next })}>
              {t("next")}
              <ArrowRight className="rtl:-scale-x-100" aria-hidden />
            </Button>
          ) : (
            <Button asChild variant="primary">
              <Link href="/">{t("finish")}</Link>
            </Button>
          )}
        </footer>
      </section>
    </div>
  );
}

const CONTENTS: Record<Step, ComponentType> = {
  sources: SourceStep,
  channel: ChannelStep,
  route: RouteStep,
  model: ModelStep,
};

function StepList({ current, onChoose }: { current: Step; onChoose: (step: Step) => void }) {
  const t = useTranslations("welcome");
  return (
    <ol className="mt-6 flex gap-1 overflow-x-auto md:grid">
      {STEPS.map((step, index) => {
        const isDone = index < STEPS.indexOf(current);
        const isCurrent = step === current;
        return (
          <li key={step} className="shrink-0">
            <button
              type="button"
              aria-current={isCurrent ? "step" : undefined}
              onClick={() => onChoose(step)}
              className="flex h-9 w-full items-center gap-3 rounded-md px-2 text-start text-muted hover:bg-hover aria-[current=step]:font-medium aria-[current=step]:text-ink"
            >
              <span
                className={cn(
                  "grid size-5 shrink-0 place-items-center rounded-full border text-xs tabular-nums",
                  isCurrent && "border-accent bg-accent text-on-accent",
                  isDone && "border-success bg-success-soft text-success",
                )}
              >
                {isDone ? <Check className="size-3" aria-hidden /> : t("number", { number: index + 1 })}
              </span>
              <span className={cn(!isCurrent && "max-md:sr-only")}>{t(`${step}.name`)}</span>
            </button>
          </li>
        );
      })}
    </ol>
  );
}
