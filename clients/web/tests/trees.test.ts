// Turns that turns have asked for, in Chromium: shown in the calls that began them.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asking } from "./asking";
import { faultsOf, launch } from "./browser";
import { ask } from "./world";

const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const children = (page: Page) => page.locator(".message > .calls > .call.child");
const depicted = async (page: Page, name: string) => {
  if (!PICTURES) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${PICTURES}/trees-${name}-${colorScheme}.png` });
  }
  await page.emulateMedia({ colorScheme: "light" });
};

test("who waits for a worker is told so, until one comes", async () => {
  const { page, complaints, ask: put } = await asking(browser);
  await put("counter", "3 10");
  await page.getByText("waiting for a worker of counter").waitFor();
  await depicted(page, "waits");
  await page.reload();
  await page.getByText("waiting for a worker of counter").waitFor();
  await ask("hire");
  await page.locator(".message.assistant:not(.under-way)").getByText("0 1 2").waitFor();
  await page.getByRole("button", { name: "Details" }).click();
  await page.getByText("worker team 2026.11").waitFor();
  expect(complaints).toEqual([]);
});

test("others' turns stand in the answer, folded, and what they say is seen as it comes", async () => {
  const { page, complaints, ask: put } = await asking(browser);
  await put("team", "counter 300 40\ntree 2 2 12000");
  await children(page).nth(1).waitFor();
  expect(await page.locator(".message").count()).toBe(2);
  const [counts, grows] = [children(page).filter({ hasText: "counter" }), children(page).filter({ hasText: "tree" })];
  await grows.getByText("2 others work for it").waitFor();
  await counts.locator("summary").click();
  await counts.getByText("10 11 12").waitFor();
  await counts.getByText("300 40").waitFor();
  await counts.getByText("worker team 2026.11").waitFor();
  await grows.locator("summary").first().click();
  await grows.locator(".call.child.runs").nth(1).waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "runs");
  await page.reload();
  await children(page).nth(1).waitFor();
  expect(await page.locator(".message").count()).toBe(2);
  await counts.locator("summary").click();
  await counts.getByText("20 21 22").waitFor();
  await page.locator(".message.assistant:not(.under-way)").waitFor();
  expect(await children(page).locator(".call-state").getByText("done").count()).toBe(2);
  expect(complaints).toEqual([]);
});

test("a tree is read by whoever comes later, also on a phone; no message of it is the conversation's", async () => {
  const { page, complaints, ask: put } = await asking(browser, 390);
  await put("tree", "2 1 2 20");
  await page.locator(".message.assistant:not(.under-way)").getByText("((leaf) (leaf))").waitFor();
  for (const isLoaded of [false, true]) {
    if (isLoaded) await page.reload();
    await children(page).nth(1).waitFor();
    expect(await page.locator(".message").count()).toBe(2);
    expect(await page.locator(".call.child").count()).toBe(2);
    await children(page).first().locator("summary").click();
    const second = children(page).first().locator(".call.child");
    await second.first().locator("summary").first().click();
    await second.first().getByText("leaf").first().waitFor();
  }
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "phone");
  expect(complaints).toEqual([]);
});

test("a stop reaches all of it, and so it is read", async () => {
  const { page, complaints, ask: put } = await asking(browser);
  await put("tree", "2 2 60000");
  await children(page).nth(1).waitFor();
  await page.getByRole("button", { name: "Stop the answer" }).click();
  await page.locator(".call.child.stopped").nth(1).waitFor();
  await page.reload();
  await page.locator(".call.child.stopped").nth(1).waitFor();
  expect(await page.locator(".under-way").count()).toBe(0);
  await depicted(page, "stopped");
  expect(complaints).toEqual([]);
});

test("what could not be begun is a call that failed", async () => {
  const { page, complaints, ask: put } = await asking(browser);
  await put("team", "nobody 1\ncounter 2 10");
  await page.locator(".message.assistant:not(.under-way)").waitFor();
  await page.locator(".call.failed").getByText("handlers.nobody").waitFor();
  expect(await page.locator(".call.child.succeeded").count()).toBe(1);
  expect(complaints).toEqual([]);
});

test("a call that waits for somebody in another's turn is seen without unfolding, and decided there", async () => {
  const { page, complaints, ask: put } = await asking(browser, 1100, ["antiphon.time"]);
  await put("team", "assistant Time?");
  await page.locator(".call.child .call.waits .decide").waitFor();
  await page.locator("[aria-live]").getByText("antiphon.time waits for approval").waitFor({ state: "attached" });
  await depicted(page, "asks");
  await page.reload();
  await page.locator(".call.child .call.waits").getByRole("button", { name: "Approve" }).click();
  await page.locator(".call.child.succeeded").waitFor();
  await page.locator(".message.assistant:not(.under-way)").waitFor();
  expect(complaints).toEqual([]);
});
