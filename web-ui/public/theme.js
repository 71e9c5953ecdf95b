// Runs before the first paint, so that a dark page does not flash white.
{
  const chosen = localStorage.getItem("watchbell-theme") ?? "system";
  const dark = chosen === "dark" || (chosen === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
}
