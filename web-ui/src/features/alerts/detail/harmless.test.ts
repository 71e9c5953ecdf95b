import { expect, test } from "vitest";
import { harmless } from "./harmless";

test("what could act or load is gone, the words stay", () => {
  const page = harmless(`
    <link rel="stylesheet" href="https://evil.example/a.css"><base href="https://evil.example/">
    <style>@import "https://evil.example/b.css"; p { background: url(https://evil.example/c.png) }</style>
    <body background="https://evil.example/d.png" onload="steal()"><script>steal()</script>
    <img src="https://evil.example/e.png" alt="a chart"><img src="data:image/png;base64,AAAA">
    <p style="background: URL('https://evil.example/f.png'); color: red">Disk full</p>
    <a href="https://evil.example/g" ping="https://evil.example/h">Acknowledge</a>
    <form action="https://evil.example/i"><input name="q"></form></body>`);
  expect(page).not.toMatch(/evil\.example|script>|onload/);
  expect(page).toContain("Disk full");
  expect(page).toContain("color: red");
  expect(page).toContain("[a chart]");
  expect(page).toContain("data:image/png;base64,AAAA");
});

test("a policy that forbids everything from outside comes first", () => {
  expect(harmless("<p>hello</p>")).toMatch(/^<!doctype html><html><head><meta http-equiv="Content-Security-Policy"/);
});
