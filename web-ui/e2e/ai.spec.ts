import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { read, send } from "./api";
import { confirm } from "./confirm";
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
  await confirm(page, "Delete the model", "first-model is deleted.");
  await expect(models).toHaveText(["second-model"]);
  // It would be asked about the alerts of others.
  const { items } = await read(page.request, "/api/v1/ai-providers");
  for (const { id } of items) await send(page.request, "DELETE", `/api/v1/ai-providers/${id}`);
});

test("a model is tested on an alert: what it said, how long it took, and what to do when it does not answer", async ({
  page,
  signIn,
}) => {
  const said = {
    severity: "warning",
    category: "disk",
    system: "db-1",
    summary: "The disk of db-1 is nearly full.",
    action: "Free some space.",
    confidence: 0.8,
  };
  const completion = {
    choices: [{ message: { role: "assistant", content: JSON.stringify(said) }, finish_reason: "stop" }],
    usage: { prompt_tokens: 321, completion_tokens: 45 },
  };
  const model = createServer((request, response) => {
    request.resume();
    response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(completion));
  });
  await new Promise<void>((listening) => model.listen(0, "127.0.0.1", listening));
  const { port } = model.address() as AddressInfo;
  await signIn();
  const provider = await send(page.request, "POST", "/api/v1/ai-providers", {
    base_url: `http://127.0.0.1:${port}/v1`,
    model: "tested-model",
  });
  await page.goto(`/en/ai/?id=${provider.id}`);
  await page.getByRole("button", { name: "Ask the model" }).click();
  await expect(page.getByText(/^Answered in [\d,]+ ms$/)).toBeVisible();
  await expect(page.getByText('"summary": "The disk of db-1 is nearly full."')).toBeVisible();
  await expect(page.getByText("321 tokens in, 45 out")).toBeVisible();

  await page.goto("/en/ai/");
  const calls = page.getByRole("button", { name: /^Calls [\d,]+$/ });
  await expect(calls).toHaveAttribute("aria-pressed", "true");
  await expect(calls).not.toHaveText("Calls0");
  await page.getByRole("button", { name: /^Tokens/ }).click();
  await expect(page.getByRole("button", { name: /^Tokens/ })).toHaveAttribute("aria-pressed", "true");
  await page.goto(`/en/ai/?id=${provider.id}`);

  model.closeAllConnections();
  await new Promise((closed) => model.close(closed));
  await page.getByRole("button", { name: "Ask the model" }).click();
  await expect(page.getByText("The server cannot be reached.", { exact: false })).toBeVisible();

  await page.goto("/en/welcome/?step=model");
  await expect(page.getByRole("button", { name: "Ask the model" })).toBeVisible();
  await send(page.request, "DELETE", `/api/v1/ai-providers/${provider.id}`);
});
