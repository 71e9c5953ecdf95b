import { expect, test } from "vitest";
import { piecesOf } from "./markup";

test("MarkdownV2 is read with its escapes, code and links", () => {
  expect(piecesOf("🚨 *disk \\*full\\** on `db_1`: [run\\-book](https://a.example/x)", "MarkdownV2")).toEqual([
    "🚨 ",
    { tag: "b", children: ["disk *full*"] },
    " on ",
    { tag: "code", children: ["db_1"] },
    ": ",
    { tag: "a", children: ["run-book"] },
  ]);
});

test("a mark that does not end is text", () => {
  expect(piecesOf("2 * 3", "MarkdownV2")).toEqual(["2 * 3"]);
});

test("of HTML only the tags of messages remain", () => {
  const text = '<b>full</b> <img src="https://evil.example/x"><script>alert(1)</script><i onclick="x()">now</i>';
  expect(piecesOf(text, "HTML")).toEqual([
    { tag: "b", children: ["full"] },
    " ",
    "alert(1)",
    { tag: "i", children: ["now"] },
  ]);
});

test("without a markup everything is text", () => {
  expect(piecesOf("<b>*x*</b>", "None")).toEqual(["<b>*x*</b>"]);
});
