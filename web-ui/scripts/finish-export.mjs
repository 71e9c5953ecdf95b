// After the export: moves every inline script into a file named by its hash, so that `script-src 'self'` holds
// without exceptions; removes pages that the server never shows; and stores a compressed copy beside each text.
import { createHash } from "node:crypto";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";

const OUT = fileURLToPath(new URL("../out", import.meta.url));
const FOLDER = "_next/static/inline";
const INLINE = /<script(?![^>]*\ssrc=)([^>]*)>([\s\S]+?)<\/script>/g;
const TEXT = /\.(html|js|css|txt|json|svg)$/;
/** Below this, a compressed copy saves no packet. */
const COMPRESS_MIN_BYTES = 1_024;

const files = () => readdirSync(OUT, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
const pathOf = (entry) => join(entry.parentPath, entry.name);

/** Puts a script into its file and returns the tag that loads it, in the same place and order. */
function moveOut(_tag, attributes, code) {
  const name = `${createHash("sha256").update(code).digest("hex").slice(0, 16)}.js`;
  writeFileSync(join(OUT, FOLDER, name), code);
  return `<script${attributes} src="/${FOLDER}/${name}"></script>`;
}

for (const unused of ["404.html", "404", "_not-found", "_not-found.html"]) {
  rmSync(join(OUT, unused), { recursive: true, force: true });
}
mkdirSync(join(OUT, FOLDER), { recursive: true });
for (const entry of files().filter(({ name }) => name.endsWith(".html"))) {
  const page = readFileSync(pathOf(entry), "utf8");
  writeFileSync(pathOf(entry), page.replace(INLINE, moveOut));
}
for (const entry of files().filter(({ name }) => TEXT.test(name))) {
  const bytes = readFileSync(pathOf(entry));
  if (bytes.length >= COMPRESS_MIN_BYTES) writeFileSync(`${pathOf(entry)}.gz`, gzipSync(bytes, { level: 9 }));
}
