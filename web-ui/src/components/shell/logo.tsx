/** The bell with its watch mark, and the name. */
export function Logo() {
  return (
    <span className="inline-flex items-center gap-2.5 font-semibold text-lg">
      <svg viewBox="0 0 24 24" className="size-6 text-accent" fill="none" aria-hidden="true">
        <path
          d="M12 3.2a6.3 6.3 0 0 0-6.3 6.3c0 4.6-1.9 6.4-2.5 7.1-.3.4 0 1 .5 1h16.6c.5 0 .8-.6.5-1-.6-.7-2.5-2.5-2.5-7.1A6.3 6.3 0 0 0 12 3.2Z"
          fill="currentColor"
          opacity=".18"
        />
        <path
          d="M12 3.2a6.3 6.3 0 0 0-6.3 6.3c0 4.6-1.9 6.4-2.5 7.1-.3.4 0 1 .5 1h16.6c.5 0 .8-.6.5-1-.6-.7-2.5-2.5-2.5-7.1A6.3 6.3 0 0 0 12 3.2ZM9.6 20.6a2.7 2.7 0 0 0 4.8 0"
          stroke="currentColor"
          strokeWidth="1.8"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
        <path
          d="m9.4 10.9 1.9 1.9 3.4-3.7"
          stroke="currentColor"
          strokeWidth="1.8"
          strokeLinecap="round"
          strokeLinejoin="round"
        />
      </svg>
      <bdi>Watchbell</bdi>
    </span>
  );
}
