import {
  ALERTMANAGER,
  FIELD_NAMES,
  FUNCTION_NAMES,
  FUNCTIONS,
  fieldSource,
} from "../src/features/templates/vocabulary";
import { send } from "./api";
import { expect, test } from "./fixtures";
import { Sender } from "./sender";

test("a template is seen while it is written, measured, and kept", async ({ page, signIn }) => {
  await signIn("/en/templates/?new=1");
  const editor = page.getByRole("textbox", { name: "Template" });
  const message = page.getByTestId("message");
  await expect(message).toContainText("CRITICAL");
  await expect(message.locator("b")).toHaveText("CRITICAL");

  await editor.fill("{{ .severity");
  await expect(page.getByText("The template cannot be read:")).toBeVisible();
  await editor.fill("{{ .host | escHTML }} هشدار <b>{{ .value }}</b>");
  await page.getByRole("combobox", { name: "Markup" }).click();
  await page.getByRole("option", { name: "HTML" }).click();
  await expect(message).toHaveText("db-1 هشدار 96");
  await expect(page.getByText(/of 4,096 UTF-16 units/)).toBeVisible();

  await page.getByLabel("What a sender pushes").fill('{"host": "x", "value": ');
  await expect(page.getByText("This is not an object of JSON.")).toBeVisible();
  await page.getByLabel("What a sender pushes").fill(`{"host": "${"x".repeat(200)}", "value": 1}`);
  await page.getByRole("combobox", { name: "Measured for" }).click();
  await page.getByRole("option", { name: "SMS" }).click();
  await expect(page.getByText("the end is cut off")).toBeVisible();

  await page.getByLabel("Name", { exact: true }).fill("in two directions");
  await page.getByRole("button", { name: "Create the template" }).click();
  await expect(page.getByRole("heading", { level: 1, name: "in two directions" })).toBeVisible();
});

test("a template is tried on an event that came", async ({ page, signIn }) => {
  await signIn("/en/templates/?new=1");
  const sender = await Sender.to(page.request, "for an event");
  await sender.send({ title: "a real event", severity: "warning" });
  await expect
    .poll(async () => (await (await page.request.get("/api/v1/events?q=real")).json()).items.length)
    .toBeGreaterThan(0);
  await page.reload();
  await page.getByRole("combobox", { name: "Tried on" }).click();
  await page.getByRole("option", { name: /a real event/ }).click();
  await expect(page.getByTestId("message")).toContainText("WARNING");
});

test("what a template can use is listed with its values, and put in at the cursor", async ({ page, signIn }) => {
  await signIn("/en/templates/?new=1");
  const editor = page.getByRole("textbox", { name: "Template" });
  const message = page.getByTestId("message");
  await editor.fill("on ");
  await editor.press("End");
  const field = page.getByRole("button", { name: "Insert .system" });
  await expect(field).toContainText("db-1");
  await field.press("Enter");
  await expect(editor).toContainText("on {{ .system }}");
  await expect(editor).toBeFocused();
  await page.getByRole("button", { name: "Insert value" }).click();
  await expect(message).toHaveText("on db-196");
  await page.getByLabel("Search fields and functions").fill("small letters");
  await page.getByRole("tab", { name: "Functions" }).click();
  await page.getByRole("button", { name: "Insert toLower" }).click();
  await expect(editor).toContainText("{{ .system | toLower }}");
});

test("the engine takes all that the editor offers", async ({ page, signIn }) => {
  await signIn();
  for (const name of FUNCTION_NAMES) {
    const body = `${FUNCTIONS[name]}.`;
    await send(page.request, "POST", "/api/v1/templates/preview", { body, sample: { host: "db-1" } });
  }
  const everything = [...FIELD_NAMES, ...ALERTMANAGER].map(fieldSource).join(" ");
  await send(page.request, "POST", "/api/v1/templates/preview", { body: everything, sample: { host: "db-1" } });
});
