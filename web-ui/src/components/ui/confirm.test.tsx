import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { IntlProvider } from "use-intl";
import { expect, test, vi } from "vitest";
import { ApiError } from "@/lib/api/errors";
import common from "@/messages/en/common.json";
import errors from "@/messages/en/errors.json";
import { Button } from "./button";
import { Confirm } from "./confirm";

test("a confirmation shows what it will do, stays open on failure, and closes when it is done", async () => {
  const remove = vi
    .fn()
    .mockRejectedValueOnce(new ApiError(409, "CONFLICT", "a rule uses it"))
    .mockResolvedValue(1);
  const user = userEvent.setup();
  render(
    // biome-ignore lint/suspicious/noExplicitAny: only the messages that this component uses
    <IntlProvider locale="en" messages={{ common, errors } as any}>
      <Confirm trigger={<Button>Delete</Button>} title="Delete ops?" action="Delete the channel" onConfirm={remove}>
        2 rules lose it.
      </Confirm>
    </IntlProvider>,
  );
  await user.click(screen.getByRole("button", { name: "Delete" }));
  const question = await screen.findByRole("alertdialog", { name: "Delete ops?" });
  expect(question).toHaveAccessibleDescription("2 rules lose it.");
  await user.click(screen.getByRole("button", { name: "Delete the channel" }));
  expect(await screen.findByText("a rule uses it")).toBeVisible();
  await user.click(screen.getByRole("button", { name: "Delete the channel" }));
  expect(screen.queryByRole("alertdialog")).toBeNull();
  expect(screen.getByRole("button", { name: "Delete" })).toHaveFocus();
});
