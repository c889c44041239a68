// Schedules in Chromium: one's own on the operator's page, and a workspace's below its usage.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asking } from "./asking";
import { faultsOf, launch, listen } from "./browser";
import { PAGE, ask } from "./world";

const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
const NONE = "There are none: antiphon schedules create --help says how one is made.";
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const depicted = async (page: Page, name: string) => {
  if (!PICTURES) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${PICTURES}/schedules-${name}-${colorScheme}.png` });
  }
  await page.emulateMedia({ colorScheme: "light" });
};
const rowsOf = (page: Page) => page.getByRole("region", { name: "Schedules", exact: true }).getByRole("row");

test("one's own are paused, let go on, and run now", async () => {
  const context = await browser.newContext({ colorScheme: "light", viewport: { width: 1200, height: 800 } });
  context.setDefaultTimeout(50_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  listen(page, complaints);
  await page.goto(`${PAGE}/#link=${await ask("link")}`);
  await page.waitForSelector(".composer textarea");
  await page.goto(`${PAGE}/operator.html#schedules`);
  await page.getByText(NONE).waitFor();
  await ask("schedule", { text: "Sum up <b>the</b> night", cron: { expression: "0 7 29 2 *", timeZone: "Asia/Tokyo" } });
  await ask("schedule", { text: "Refused", at: "soon", archive: true });
  const row = rowsOf(page).filter({ hasText: "Sum up <b>the</b> night" });
  await row.getByText(/Feb 29.*2028.*07:00.*(GMT\+9|JST)/).waitFor();
  await row.getByText("0 7 29 2 * (Asia/Tokyo)").waitFor();
  await row.getByText("nothing yet").waitFor();
  await row.getByRole("button", { name: "Pause" }).click();
  await row.getByText("paused").waitFor();
  await row.getByRole("button", { name: "Run now" }).click();
  await row.getByRole("link", { name: "started" }).waitFor();
  await rowsOf(page).filter({ hasText: "Refused" }).getByText("the conversation is archived").waitFor();
  await rowsOf(page).filter({ hasText: "Refused" }).getByText("never again").waitFor();
  expect(await rowsOf(page).filter({ hasText: "Refused" }).getByRole("button").count()).toBe(1);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "own");
  await row.getByRole("button", { name: "Go on" }).click();
  await row.getByText(/07:00/).waitFor();
  await rowsOf(page).filter({ hasText: "Refused" }).getByRole("button", { name: "Run now" }).click();
  await page.getByText(/archived/).first().waitFor();
  await page.setViewportSize({ width: 390, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "phone");
  expect(complaints).toEqual([]);
}, 120_000);

test("a workspace's stand below its usage", async () => {
  const { page, complaints, session, conversation } = await asking(browser);
  const { conversationId } = conversation;
  await page.goto(`${PAGE}/#/usage`);
  await page.getByRole("heading", { name: "Budgets", exact: true }).waitFor();
  expect(await page.getByRole("heading", { name: "Schedules" }).count()).toBe(0);
  const parts = [{ content: { case: "text" as const, value: "Write the report" } }];
  const cron = { expression: "*/10 8-18 * * MON-FRI", timeZone: "" };
  await session.stubs.schedules.createSchedule({ conversationId, schedule: { parts, when: { case: "cron", value: cron } } });
  await page.reload();
  await page.getByRole("heading", { name: "Schedules", exact: true }).waitFor();
  const row = rowsOf(page).filter({ hasText: "Write the report" });
  await row.getByText("*/10 8-18 * * MON-FRI (UTC)").waitFor();
  await row.getByRole("button", { name: "Run now" }).click();
  await row.getByRole("link", { name: "started" }).waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await row.scrollIntoViewIfNeeded();
  await depicted(page, "workspace");
  await row.getByRole("link", { name: "Write the report" }).click();
  await page.getByRole("article").filter({ hasText: "Write the report" }).first().waitFor();
  expect(complaints).toEqual([]);
}, 120_000);
