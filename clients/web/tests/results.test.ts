// What came of calls, in Chromium: folded, all of it, and a picture.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ToolRule } from "../src/gen/antiphon/integration/v1/tool_pb";
import { faultsOf, launch } from "./browser";
import { open, place, say } from "./called";

const DUMP = "large.dump";
const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

test("a large result is folded, then has its beginning, and by keys all of it", async () => {
  const where = await place(DUMP, ToolRule.ALWAYS);
  const page = await open(browser, where, 390);
  await say(page, "Large?");
  await page.locator(".call.succeeded .call-preview").getByText("line 0").waitFor();
  await page.locator(".message.assistant:not(.under-way)").waitFor();
  expect(await page.getByRole("button", { name: "Show all" }).count()).toBe(0);
  await page.locator(".call summary").press("Enter");
  const text = page.locator(".call-whole h3:has-text('Result') ~ pre");
  expect(await text.innerText()).not.toContain("line 19999");
  await page.locator(".call-more").getByText("more bytes").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole("button", { name: "Show all" }).press("Enter");
  await text.getByText("line 19999").waitFor();
  expect((await text.innerText()).trim().split("\n")).toHaveLength(20_000);
  expect(await page.getByRole("button", { name: "Show all" }).count()).toBe(0);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/results-phone.png` });
  expect(where.complaints).toEqual([]);
});

test("a picture is shown as the policy allows it, also after a reload, and is saved", async () => {
  const where = await place(DUMP, ToolRule.ALWAYS);
  const page = await open(browser, where);
  await say(page, "Large?");
  await page.locator(".message.assistant:not(.under-way)").waitFor();
  await page.reload();
  await page.locator(".call summary").click();
  const picture = page.getByRole("img", { name: "Result of large.dump" });
  await picture.waitFor();
  const sides = await picture.evaluate(async (image: HTMLImageElement) => {
    await image.decode();
    return [image.naturalWidth, image.naturalHeight, new URL(image.src).protocol];
  });
  expect(sides).toEqual([1, 1, "blob:"]);
  const saving = page.waitForEvent("download");
  await page.getByRole("button", { name: "Save" }).click();
  expect((await saving).suggestedFilename()).toBe("large.dump-1.png");
  expect(await faultsOf(page)).toEqual([]);
  expect(where.complaints).toEqual([]);
});
