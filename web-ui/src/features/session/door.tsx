import type { ReactNode } from "react";

/** What is before the shell: signing in, setting up, registering, a new password. */
export function Door({ title, text, children }: { title: ReactNode; text: ReactNode; children: ReactNode }) {
  return (
    <div className="mx-auto flex w-full max-w-sm flex-1 flex-col justify-center px-4 pt-6 pb-24">
      <h1 className="font-semibold text-2xl">{title}</h1>
      <p className="mt-1 mb-7 text-pretty text-muted">{text}</p>
      {children}
    </div>
  );
}
