import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { IntlProvider } from "use-intl";
import { expect, test, vi } from "vitest";
import { ApiError } from "@/lib/api/errors";
import errors from "@/messages/en/errors.json";
import rules from "@/messages/en/rules.json";
import { useChannels } from "./channel-names";
import { ChannelPicker } from "./channel-picker";

vi.mock("./channel-names");

function draw(query: object) {
  vi.mocked(useChannels).mockReturnValue(query as ReturnType<typeof useChannels>);
  return render(
    // biome-ignore lint/suspicious/noExplicitAny: only the messages that this component uses
    <IntlProvider locale="en" messages={{ errors, rules } as any}>
      <ChannelPicker label="Channels" chosen={[]} onChange={() => {}} />
    </IntlProvider>,
  );
}

test("channels that could not be fetched are said to be so, and asked for again", async () => {
  const refetch = vi.fn();
  const { container } = draw({ error: new ApiError(500, "INTERNAL", "the disk is full"), refetch });
  expect(screen.getByRole("alert")).toHaveTextContent("the disk is full");
  expect(container.querySelector("[data-skeleton]")).toBeNull();
  await userEvent.click(screen.getByRole("button", { name: "Try again" }));
  expect(refetch).toHaveBeenCalledOnce();
});

test("channels that are known stay when they could not be fetched anew", () => {
  const channels = [{ id: 1, name: "ops", platform: "webhook", enabled: true }];
  draw({ channels, error: new ApiError(500, "INTERNAL", "the disk is full"), refetch: vi.fn() });
  expect(screen.getByRole("checkbox", { name: /ops/ })).toBeVisible();
  expect(screen.queryByRole("alert")).toBeNull();
});
