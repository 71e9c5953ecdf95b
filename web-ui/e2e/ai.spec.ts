import { expect, test } from "./fixtures";

test("models are added, put into another order, and keep their keys to themselves", async ({ page, signIn }) => {
  await signIn("/en/ai/?new=1");
  await page.getByRole("button", { name: "Add the model" }).click();
  await expect(page.getByText("This is needed.").first()).toBeVisible();
  for (const model of ["first-model", "second-model"]) {
    await page.goto("/en/ai/?new=1");
    await page.getByLabel("Base URL").fill("http://127.0.0.1:9/v1");
    await page.getByLabel("Model", { exact: true }).fill(model);
    await page.getByLabel("API key").fill("very-secret");
    await page.getByRole("button", { name: "Add the model" }).click();
    await expect(page.getByRole("link", { name: model })).toBeVisible();
  }
  const models = page.getByRole("list", { name: "The order in which models are asked" }).getByRole("link");
  await expect(models).toHaveText(["first-model", "second-model"]);
  await page.getByRole("button", { name: "Ask second-model earlier" }).click();
  await expect(models).toHaveText(["second-model", "first-model"]);
  await page.reload();
  await expect(models).toHaveText(["second-model", "first-model"]);
  await expect(page.getByText("Spent today")).toBeVisible();
  expect(await page.content()).not.toContain("very-secret");

  await page.getByRole("link", { name: "first-model" }).click();
  await expect(page.getByText("It is set and never shown.")).toBeVisible();
  const here = new URL(page.url());

  await page.goto(`/en/ai/${here.search}`);
  await page.getByRole("button", { name: "Delete the model" }).click();
  await page.getByRole("alertdialog").getByRole("button", { name: "Delete the model" }).click();
  await expect(page.getByText("first-model is deleted.")).toBeVisible();
  await expect(models).toHaveText(["second-model"]);
});
