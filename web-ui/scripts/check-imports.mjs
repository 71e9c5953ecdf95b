// One-way imports: app ← features ← components ← lib, and no feature knows another.
import { readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const SRC = fileURLToPath(new URL("../src", import.meta.url));
const LAYERS = ["lib", "components", "features", "app"];
const IMPORT = /(?:from|import)\s*\(?\s*["']((?:@\/|\.{1,2}\/)[^"']+)["']/g;

/** The file of an import, from `src`. */
const target = (file, name) =>
  relative(SRC, name.startsWith("@/") ? join(SRC, name.slice(2)) : resolve(dirname(file), name));

const complaints = [];
for (const path of readdirSync(SRC, { recursive: true }).filter((path) => /\.tsx?$/.test(path))) {
  const [layer, feature] = path.split("/");
  for (const [, name] of readFileSync(join(SRC, path), "utf8").matchAll(IMPORT)) {
    const [used, usedFeature] = target(join(SRC, path), name).split("/");
    if (LAYERS.includes(used) && LAYERS.indexOf(used) > LAYERS.indexOf(layer)) {
      complaints.push(`src/${path}: ${layer} must not import ${name}`);
    }
    if (layer === "features" && used === "features" && feature !== usedFeature) {
      complaints.push(`src/${path}: features meet in app, not in each other (${name})`);
    }
  }
}
if (complaints.length > 0) {
  console.error(complaints.join("\n"));
  process.exit(1);
}
