// The more particular names come first: every browser also claims to be the ones below it.
const BROWSERS = [
  ["Edge", /Edg\//],
  ["Opera", /OPR\//],
  ["Firefox", /Firefox\//],
  ["Chrome", /Chrom(e|ium)\//],
  ["Safari", /Safari\//],
  ["curl", /^curl\//],
] as const;

const SYSTEMS = [
  ["Android", /Android/],
  ["iOS", /iPhone|iPad/],
  ["Windows", /Windows/],
  ["macOS", /Mac OS X/],
  ["Linux", /Linux/],
] as const;

/** "Firefox · Linux" for what a browser says of itself; anything else as it is. */
export function describeAgent(agent: string): string {
  const find = (list: readonly (readonly [string, RegExp])[]) => list.find(([, pattern]) => pattern.test(agent))?.[0];
  const parts = [find(BROWSERS), find(SYSTEMS)].filter(Boolean);
  return parts.join(" · ") || agent || "?";
}
