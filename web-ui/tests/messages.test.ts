// Every message exists in every language with the same placeholders, and is used somewhere.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { LOCALES } from "@/lib/i18n/locales";

const SRC = join(import.meta.dirname, "../src");
const filesOf = (locale: string) => readdirSync(join(SRC, "messages", locale)).sort();

/** The messages of a file as `path.to.key` and text. */
function read(locale: string, file: string): Map<string, string> {
  const messages = new Map<string, string>();
  const walk = (value: unknown, path: string) => {
    if (typeof value === "string") messages.set(path, value);
    else for (const [key, inner] of Object.entries(value as object)) walk(inner, path ? `${path}.${key}` : key);
  };
  walk(JSON.parse(readFileSync(join(SRC, "messages", locale, file), "utf8")), "");
  return messages;
}

/** The names of placeholders and tags in a message, whatever stands between them. */
function placeholders(text: string): string[] {
  const names = Array.from(text.matchAll(/\{(\w+)\s*[,}]|<(\w+)>/g), ([, value, tag]) => value ?? `<${tag}>`);
  return [...new Set(names)].sort();
}

describe.each(filesOf("en"))("messages/%s", (file) => {
  const english = read("en", file);

  test.each(LOCALES.slice(1))("is complete in %s, with the same placeholders", (locale) => {
    const other = read(locale, file);
    expect([...other.keys()].sort()).toEqual([...english.keys()].sort());
    for (const [key, text] of english) {
      expect(other.get(key)?.trim(), key).toBeTruthy();
      expect(placeholders(other.get(key) ?? ""), key).toEqual(placeholders(text));
    }
  });

  test("has no message that nothing uses", () => {
    const namespace = file.replace(".json", "");
    const isUsed = (key: string) => used.some((pattern) => pattern.test(`${namespace}.${key}`));
    expect([...english.keys()].filter((key) => !isUsed(key))).toEqual([]);
  });
});

test("every language has the same files", () => {
  for (const locale of LOCALES) expect(filesOf(locale)).toEqual(filesOf("en"));
});

/** What a template holds in place of a key that is only known when it runs. */
const ANY = `$\{}`;
const TRANSLATOR = /const (\w+) = useTranslations\(\s*"([^"]+)"/g;

/**
 * The messages that the code asks for: `const t = useTranslations("alerts")`, then `t("empty.title")`. In
 * `` t(`severity.${severity}`) `` the inserted part stands for any one key; so does a variable alone.
 */
const used: RegExp[] = readdirSync(SRC, { recursive: true, encoding: "utf8" })
  .filter((path) => /(?<!\.test)\.tsx?$/.test(path))
  .flatMap((path) => usesIn(readFileSync(join(SRC, path), "utf8")));

function usesIn(code: string): RegExp[] {
  const found: RegExp[] = [];
  for (const [, name, namespace] of code.matchAll(TRANSLATOR)) {
    const call = new RegExp(
      `\\b${name}(?:\\.rich|\\.markup|\\.raw|\\.has)?\\(\\s*(?:"([^"]+)"|\`([^\`]+)\`|([\\w.]+)[,)])`,
      "g",
    );
    for (const [, plain, template] of code.matchAll(call)) {
      found.push(patternOf(`${namespace}.${plain ?? template ?? ANY}`));
    }
  }
  // `titleOf("alerts")` uses the title.
  for (const [, namespace] of code.matchAll(/titleOf\("([^"]+)"\)/g)) found.push(patternOf(`${namespace}.title`));
  return found;
}

function patternOf(key: string): RegExp {
  const parts = key.split(/\$\{[^}]*\}/).map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\$&"));
  return new RegExp(`^${parts.join("[^.]+")}$`);
}
