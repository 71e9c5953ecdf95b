import { render, screen } from "@testing-library/react";
import { expect, test } from "vitest";
import { Linked } from "./linked";

test("addresses in a text can be followed, what stands around them stays", () => {
  const { container } = render(
    <Linked text="see (https://a.example/x?y=1), or https://b.example. javascript:alert(1)" />,
  );
  const links = screen.getAllByRole("link").map((link) => link.getAttribute("href"));
  expect(links).toEqual(["https://a.example/x?y=1", "https://b.example"]);
  expect(container.textContent).toBe("see (https://a.example/x?y=1), or https://b.example. javascript:alert(1)");
});
