// Calls of tools in Chromium: shown as they run, approved, denied, stopped.

import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ToolRule } from "../src/gen/antiphon/integration/v1/tool_pb";
import { faultsOf, launch } from "./browser";
import { open, place, say } from "./called";

const TIME = "antiphon.time";
const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const call = (page: Page): Locator => page.locator(".call").last();
const depicted = async (page: Page, name: string) => {
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/calls-${name}.png` });
};

test("a call that asks nobody is shown with what came of it, also after a reload", async () => {
  const where = await place(TIME, ToolRule.ALWAYS);
  const page = await open(browser, where);
  await say(page, "Time?");
  await page.locator(".call.succeeded").waitFor();
  await page.locator(".call-preview").getByText("Asia/Tokyo").waitFor();
  await page.reload();
  await page.locator(".call.succeeded summary").click();
  await call(page).getByText('"zone": "Asia/Tokyo"').first().waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "finished");
  expect(where.complaints).toEqual([]);
});

test("a call waits over a reload, and is approved by keys alone; who listens is told", async () => {
  const where = await place(TIME, ToolRule.ASK);
  const page = await open(browser, where, 390);
  await say(page, "Time?");
  await page.locator(".call.waits .decide").waitFor();
  await page.locator("[aria-live]").getByText("antiphon.time waits for approval").waitFor({ state: "attached" });
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "waits-phone");
  await page.reload();
  await page.locator(".call.waits .decide").waitFor();
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  await page.keyboard.press("Alt+a");
  await page.keyboard.press("Enter");
  await page.locator(".call.succeeded").getByText("Approved by you").waitFor();
  expect(await page.evaluate(() => document.activeElement?.tagName)).toBe("TEXTAREA");
  expect(where.complaints).toEqual([]);
});

test("a call is denied with a reason, which a second browser is shown; the model goes on", async () => {
  const where = await place(TIME, ToolRule.ASK);
  const [page, other] = [await open(browser, where), await open(browser, where)];
  await say(page, "Time?");
  await other.locator(".call.waits .decide").waitFor();
  await page.getByRole("button", { name: "Deny" }).click();
  await page.keyboard.type("not <b>now</b>");
  await page.keyboard.press("Enter");
  for (const each of [page, other]) {
    await each.locator(".call.denied").getByText("Denied by you: “not <b>now</b>”").waitFor();
    expect(await each.locator(".call .decide").count()).toBe(0);
    await each.locator(".message.assistant:not(.under-way)").waitFor();
  }
  await page.emulateMedia({ colorScheme: "dark" });
  await depicted(page, "denied-dark");
  expect(where.complaints).toEqual([]);
});

test("of two who decide at once the first counts, for both", async () => {
  const where = await place(TIME, ToolRule.ASK);
  const [page, other] = [await open(browser, where), await open(browser, where)];
  await say(page, "Time?");
  await other.getByRole("button", { name: "Deny" }).click();
  await page.locator(".decide").waitFor();
  await Promise.all([
    page.getByRole("button", { name: "Approve" }).click({ timeout: 2_000 }).catch(() => {}),
    other.keyboard.press("Enter"),
  ]);
  for (const each of [page, other]) await each.locator(".call.succeeded, .call.denied").waitFor();
  expect(await page.locator(".call-told").first().innerText()).toBe(await other.locator(".call-told").first().innerText());
  expect(where.complaints).toEqual([]);
});

test("stop ends a turn that waits, and its call says so", async () => {
  const where = await place(TIME, ToolRule.ASK);
  const page = await open(browser, where);
  await say(page, "Time?");
  await page.locator(".call.waits").waitFor();
  await page.getByRole("button", { name: "Stop the answer" }).click();
  await page.locator(".call.stopped").waitFor();
  await page.reload();
  await page.locator(".call.stopped").waitFor();
  expect(await page.locator(".decide").count()).toBe(0);
  expect(where.complaints).toEqual([]);
});

test("what a tool is asked and says is text, and what hides in it is seen", async () => {
  const where = await place(TIME, ToolRule.ALWAYS);
  const page = await open(browser, where);
  await say(page, "Nowhere?");
  await page.locator(".call.failed summary").click();
  await call(page).getByText("<script>⟨U+202E⟩⟨U+200B⟩").first().waitFor();
  expect(await page.locator(".call script").count()).toBe(0);
  expect(where.complaints).toEqual([]);
});

test("two calls that wait side by side are told apart from what goes on, and approved one by one", async () => {
  const where = await place(TIME, ToolRule.ASK);
  const page = await open(browser, where);
  await say(page, "Both?");
  await page.locator(".call.waits").nth(1).waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "both");
  for (let left = 2; left > 0; left--) {
    expect(await page.getByRole("group", { name: "May antiphon.time be called?" }).count()).toBe(left);
    await page.keyboard.press("Alt+a");
    await page.keyboard.press("Enter");
    await page.locator(".call.succeeded").nth(2 - left).waitFor();
  }
  expect(where.complaints).toEqual([]);
});
