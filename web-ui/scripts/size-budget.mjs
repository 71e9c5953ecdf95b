// After the export: fails when a page loads more JavaScript than the budget before it can be used.
import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const OUT = fileURLToPath(new URL("../out", import.meta.url));
const BUDGET_KB = 250;
const SCRIPT = /<script[^>]*\ssrc="(\/[^"?]+)/g;

const sizes = new Map();
function compressedSize(path) {
  const file = join(OUT, path);
  if (!sizes.has(path)) sizes.set(path, gzipSync(readFileSync(file)).length);
  return sizes.get(path);
}

const pages = readdirSync(OUT, { recursive: true }).filter((path) => path.endsWith(".html"));
const weights = pages.map((page) => {
  const html = readFileSync(join(OUT, page), "utf8").replaceAll(/<script[^>]*noModule[^>]*>/gi, "");
  const scripts = new Set(Array.from(html.matchAll(SCRIPT), ([, path]) => path));
  const bytes = [...scripts].reduce((sum, path) => sum + compressedSize(path), 0);
  return { page, kb: Math.ceil(bytes / 1024) };
});
weights.sort((one, other) => other.kb - one.kb);

const total = readdirSync(OUT, { recursive: true })
  .map((path) => statSync(join(OUT, path)))
  .reduce((sum, stat) => sum + (stat.isFile() ? stat.size : 0), 0);
const heaviest = weights.slice(0, 3).map(({ page, kb }) => `  ${kb} KB  ${page}`);
console.log(`JavaScript of a page, compressed (budget ${BUDGET_KB} KB):\n${heaviest.join("\n")}`);
console.log(`${pages.length} pages, ${(total / 1_000_000).toFixed(1)} MB with compressed copies`);
if (weights.length === 0 || weights.some(({ kb }) => kb > BUDGET_KB)) process.exit(1);
