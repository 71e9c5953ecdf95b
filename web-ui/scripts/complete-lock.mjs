// Makes package-lock.json complete: `npm install` leaves out optional packages for other systems when it does not
// find them, and then `npm ci` refuses the lock. Run after every `npm install`: `npm run lock`.
import { readFileSync, writeFileSync } from "node:fs";

const LOCK = new URL("../package-lock.json", import.meta.url);
const SYSTEMS = ["aix", "android", "darwin", "freebsd", "linux", "netbsd", "openbsd", "openharmony", "sunos", "win32"];
const PROCESSORS = ["arm64", "arm", "ia32", "loong64", "mips64el", "ppc64", "riscv64", "s390x", "wasm32", "x64"];

/** The lock entry of an optional package, with the system and processor that its name tells. */
function entryOf(name, version) {
  const words = name.split(/[-/]/);
  const os = SYSTEMS.filter((system) => words.includes(system));
  const cpu = PROCESSORS.filter((processor) => words.includes(processor));
  if (os.length === 0 && cpu.length === 0) throw new Error(`${name}: its name tells no system; add it by hand`);
  return { version, optional: true, ...(cpu.length > 0 && { cpu }), ...(os.length > 0 && { os }) };
}

const lock = JSON.parse(readFileSync(LOCK, "utf8"));
const added = [];
for (const owner of Object.values(lock.packages)) {
  delete owner.resolved; // an address of whoever installed last
  for (const [name, version] of Object.entries(owner.optionalDependencies ?? {})) {
    const path = `node_modules/${name}`;
    if (lock.packages[path]) continue;
    if (!/^\d/.test(version)) throw new Error(`${name}@${version}: not an exact version; add it by hand`);
    lock.packages[path] = entryOf(name, version);
    added.push(name);
  }
}
const ordered = Object.entries(lock.packages).sort(([one], [other]) => (one < other ? -1 : 1));
lock.packages = Object.fromEntries(ordered);
writeFileSync(LOCK, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`package-lock.json: ${added.length} optional packages added`);
