import { expect, test } from "vitest";
import { client } from "./client";
import { readPage } from "./pages";

test("the first page is asked for without a cursor, another with the one that came before it", async () => {
  const asked: string[] = [];
  client.use({
    onRequest({ request }) {
      asked.push(new URL(request.url).search);
      return Response.json({ items: [] });
    },
  });
  await readPage("/api/v1/alerts", { limit: 2, q: undefined });
  await readPage("/api/v1/alerts", { limit: 2 }, "b3");
  expect(asked).toEqual(["?limit=2", "?limit=2&cursor=b3"]);
});
