// The operator's table of connections, in Chromium.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { faultsOf, launch, listen } from "./browser";
import { PAGE, ask } from "./world";

const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

test("each connection has its state in words, and why; what changes is shown by itself", async () => {
  const context = await browser.newContext({ colorScheme: "light", viewport: { width: 1100, height: 700 } });
  context.setDefaultTimeout(50_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  listen(page, complaints);
  await page.goto(`${PAGE}/#link=${await ask("link")}`);
  await page.waitForSelector(".composer textarea");
  await page.goto(`${PAGE}/operator.html#connections`);
  const row = (name: string) => page.getByRole("row").filter({ has: page.getByRole("cell", { name }).first() });
  await row("cakes A bakery").getByText("up", { exact: true }).waitFor();
  await row("gone").getByText("down", { exact: true }).waitFor();
  await row("gone").getByText("REFUSED", { exact: true }).waitFor();
  await ask("disabled", "shut");
  await row("shut").getByText("disabled", { exact: true }).waitFor();
  // A probe beside a call that ends the program may find it away, and the next one back: then what failed is forgotten.
  const quit = async (times: number) => {
    for (let count = 0; count < times; count++) await ask("call", "large.quit");
  };
  const failing = () => quit(3).then(() => ask("probe", "large"));
  expect(await ask("probe", "large")).toBe("CONNECTION_STATE_UP");
  expect(await ask("call", "large.quit")).toBe("TOOL_CALL_LOST");
  await expect.poll(failing, { timeout: 50_000 }).toBe("CONNECTION_STATE_DEGRADEDTOOL_CALL_LOST");
  await row("large").getByText("degraded", { exact: true }).waitFor();
  const isLeftAlone = () => quit(2).then(() => row("large").getByText(/^left alone for /).isVisible());
  await expect.poll(isLeftAlone, { timeout: 50_000 }).toBe(true);
  await row("large").getByRole("button", { name: "Resume calls: large" }).click();
  await row("large").getByText(/^left alone/).waitFor({ state: "detached" });
  await row("cakes A bakery").getByRole("button", { name: "Pause calls: cakes" }).click();
  await row("cakes A bakery").getByText("paused, by an operator", { exact: true }).waitFor();
  expect(await faultsOf(page)).toEqual([]);
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/connections.png` });
  await page.setViewportSize({ width: 390, height: 700 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  await expect.poll(() => row("gone").getByText("down").boundingBox().then((box) => box!.x + box!.width)).toBeLessThan(390);
  await page.setViewportSize({ width: 1100, height: 700 });
  await row("cakes A bakery").getByRole("button", { name: "Resume calls: cakes" }).click(); // others call its tools
  await row("cakes A bakery").getByText("up", { exact: true }).waitFor();
  expect(complaints).toEqual([]);
});
