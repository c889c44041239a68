// The operator's table of workers, in Chromium.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asking } from "./asking";
import { faultsOf, launch, listen } from "./browser";
import { PAGE, ask } from "./world";

const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

test("who is there is shown by itself, and who may be is taken back", async () => {
  const context = await browser.newContext({ colorScheme: "light", viewport: { width: 1200, height: 800 } });
  context.setDefaultTimeout(50_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  listen(page, complaints);
  const depicted = async (name: string) => {
    if (!PICTURES) return;
    for (const colorScheme of ["light", "dark"] as const) {
      await page.emulateMedia({ colorScheme });
      await page.screenshot({ path: `${PICTURES}/workers-${name}-${colorScheme}.png` });
    }
    await page.emulateMedia({ colorScheme: "light" });
  };
  await page.goto(`${PAGE}/#link=${await ask("link")}`);
  await page.waitForSelector(".composer textarea");
  await page.goto(`${PAGE}/operator.html#workers`);
  await page.getByText("None is there: antiphon workers invite HANDLER lets one in.").waitFor();
  await depicted("none");
  await ask("hire");
  const row = page.getByRole("region", { name: "Workers", exact: true }).getByRole("row").filter({ hasText: "2026.11" });
  await row.getByText("ready", { exact: true }).waitFor();
  await row.getByText("team, tree, counter").waitFor();
  await row.getByText("0 of 100").waitFor();
  const asked = await asking(browser);
  await asked.ask("counter", "2 10");
  await row.getByRole("cell", { name: "1", exact: true }).waitFor();
  await row.getByText(/^[\d.,]+ ms$/).waitFor();
  await asked.ask("counter", "200 50");
  await row.getByText("1 of 100").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await depicted("ready");
  await page.setViewportSize({ width: 390, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  expect(await faultsOf(page)).toEqual([]);
  await depicted("phone");
  await page.setViewportSize({ width: 1200, height: 800 });
  let asks = 0;
  page.on("request", (request) => (asks += Number(request.url().includes("WorkerService"))));
  const look = (hidden: boolean) =>
    page.evaluate((isHidden) => {
      Object.defineProperty(document, "hidden", { configurable: true, value: isHidden });
      document.dispatchEvent(new Event("visibilitychange"));
    }, hidden);
  await expect.poll(() => asks, { timeout: 15_000 }).toBeGreaterThan(1);
  await look(true);
  await page.waitForTimeout(500); // what was asked already
  asks = 0;
  await page.waitForTimeout(6_000);
  expect(asks).toBe(0);
  await look(false);
  await expect.poll(() => asks, { timeout: 15_000 }).toBeGreaterThan(1);
  await row.getByText("0 of 100").waitFor();
  await asked.ask("counter", "2000 50");
  await row.getByText("1 of 100").waitFor();
  await ask("tell", "SIGTERM");
  await row.getByText("draining", { exact: true }).waitFor();
  await depicted("draining");
  await ask("dismiss");
  await page.getByText("None is there: antiphon workers invite HANDLER lets one in.").waitFor();
  await page.getByRole("button", { name: "Forbid: counter by The crew" }).click();
  await page.getByRole("dialog").getByText("Forbid The crew to serve counter?").waitFor();
  await depicted("forbid");
  await page.getByRole("dialog").getByRole("button", { name: "Cancel" }).click();
  await page.getByRole("button", { name: "Forbid: counter by The crew" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Forbid" }).click();
  await page.getByRole("button", { name: "Forbid: counter by The crew" }).waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Forbid: tree by The crew" }).waitFor();
  expect(complaints).toEqual([]);
  expect(asked.complaints).toEqual([]);
}, 120_000);

test("a workspace's own stand below its usage, for its admins", async () => {
  const { page, complaints, session, conversation } = await asking(browser, 390);
  const { workspaceId } = conversation;
  const link = `${PAGE}/#/usage`;
  await page.goto(link);
  await page.getByRole("heading", { name: "Budgets", exact: true }).waitFor();
  expect(await page.getByRole("heading", { name: "Workers" }).count()).toBe(0);
  const userId = session.user!.userId;
  await session.stubs.workers.allowWorker({ parent: workspaceId, handler: "search", userId });
  await page.reload();
  await page.getByRole("heading", { name: "Workers" }).waitFor();
  await page.getByText("None is there: antiphon workers invite HANDLER lets one in.").waitFor();
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/workers-workspace.png` });
  await page.getByRole("button", { name: /^Forbid: search by / }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Forbid" }).click();
  await page.getByText("Nobody's workers may serve anything").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  expect(complaints).toEqual([]);
});
