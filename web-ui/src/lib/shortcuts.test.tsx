import { render } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { ShortcutProvider, useShortcutList, useShortcuts } from "./shortcuts";

const next = vi.fn();
const go = vi.fn();

function Screen() {
  useShortcuts([
    { keys: "j", label: "Next", run: next },
    { keys: "g a", label: "Alerts", run: go },
  ]);
  const list = useShortcutList();
  return (
    <>
      <input aria-label="text" />
      <p>{list.map((shortcut) => shortcut.label).join(", ")}</p>
    </>
  );
}

test("keys work alone and in sequence, are listed, and leave typing alone", async () => {
  const user = userEvent.setup();
  const page = render(
    <ShortcutProvider>
      <Screen />
    </ShortcutProvider>,
  );
  await page.findByText("Next, Alerts");
  await user.keyboard("j");
  await user.keyboard("ga");
  expect(next).toHaveBeenCalledTimes(1);
  expect(go).toHaveBeenCalledTimes(1);
  await user.type(page.getByLabelText("text"), "jjga");
  expect(next).toHaveBeenCalledTimes(1);
  expect(go).toHaveBeenCalledTimes(1);
});
