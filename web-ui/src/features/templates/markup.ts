import type { ParseMode } from "./template";

const TAGS = ["b", "i", "u", "s", "code", "pre", "a", "blockquote", "mark"] as const;
export type Tag = (typeof TAGS)[number];

/** A message as it is shown: text, and what is marked in it. */
export type Piece = string | { tag: Tag; children: Piece[] };

/** Reads what a template wrote. Nothing of it becomes markup of this page but the tags above. */
export function piecesOf(text: string, mode: ParseMode): Piece[] {
  if (mode === "None") return [text];
  return mode === "HTML" ? piecesOfHtml(text) : new Markdown(text).read();
}

const ALIASES: Record<string, Tag> = {
  strong: "b",
  em: "i",
  ins: "u",
  strike: "s",
  del: "s",
  "tg-spoiler": "mark",
};

function piecesOfHtml(text: string): Piece[] {
  // A document of its own: it runs nothing and loads nothing.
  return childrenOf(new DOMParser().parseFromString(text, "text/html").body);
}

function childrenOf(parent: Element): Piece[] {
  return Array.from(parent.childNodes).flatMap((node): Piece[] => {
    if (!(node instanceof Element)) return [node.textContent ?? ""];
    const name = node.tagName.toLowerCase();
    const tag = TAGS.find((each) => each === name) ?? ALIASES[name];
    return tag ? [{ tag, children: childrenOf(node) }] : childrenOf(node);
  });
}

/** The marks of MarkdownV2; of two that begin alike, the longer comes first. */
const MARKS: [string, Tag][] = [
  ["```", "pre"],
  ["`", "code"],
  ["||", "mark"],
  ["__", "u"],
  ["*", "b"],
  ["_", "i"],
  ["~", "s"],
];

class Markdown {
  private at = 0;

  constructor(private readonly text: string) {}

  /** Reads up to `end`, or to the end of the text. */
  read(end?: string): Piece[] {
    const pieces: Piece[] = [];
    let plain = "";
    const add = (piece: Piece) => {
      if (plain) pieces.push(plain);
      plain = "";
      pieces.push(piece);
    };
    while (this.at < this.text.length) {
      if (end && this.text.startsWith(end, this.at)) break;
      const marked = this.marked() ?? this.link();
      if (marked) add(marked);
      else plain += this.character();
    }
    if (plain) pieces.push(plain);
    return pieces;
  }

  private character(): string {
    if (this.text[this.at] === "\\") this.at += 1;
    const character = this.text[this.at] ?? "";
    this.at += 1;
    return character;
  }

  private marked(): Piece | undefined {
    const found = MARKS.find(([mark]) => this.text.startsWith(mark, this.at));
    if (!found || !this.text.includes(found[0], this.at + found[0].length)) return undefined;
    const [mark, tag] = found;
    this.at += mark.length;
    const isCode = tag === "pre" || tag === "code";
    const children = isCode ? [this.codeUntil(mark)] : this.read(mark);
    this.at += mark.length;
    return { tag, children };
  }

  private codeUntil(mark: string): string {
    let code = "";
    while (this.at < this.text.length && !this.text.startsWith(mark, this.at)) code += this.character();
    return code;
  }

  private link(): Piece | undefined {
    const [whole, words] = /^\[((?:\\.|[^\]\\])*)\]\((?:\\.|[^)\\])*\)/.exec(this.text.slice(this.at)) ?? [];
    if (whole === undefined || words === undefined) return undefined;
    this.at += whole.length;
    return { tag: "a", children: new Markdown(words).read() };
  }
}
