// Signing in at an identity provider in Chromium, also at one that fails.

import type { Browser, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { depict, faultsOf, launch, listen } from "./browser";
import { PAGE, ask } from "./world";

const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  browser = await launch();
  const context = await browser.newContext({ viewport: { width: 1200, height: 800 } });
  context.setDefaultTimeout(50_000);
  page = await context.newPage();
  listen(page, complaints);
});
afterAll(() => browser?.close());
afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await depict(page, task.name);
  expect(complaints.splice(0)).toEqual([]);
});

const button = () => page.getByRole("button", { name: "Sign in with Acme" });

test("one signs in where the organisation does", async () => {
  await page.goto(PAGE);
  await button().click();
  await page.waitForSelector(".composer textarea");
  expect(page.url()).not.toContain("code=");
  await page.evaluate(() => (localStorage.clear(), sessionStorage.clear()));
});

test("nobody is sent to a provider that has failed too often", async () => {
  await page.clock.install();
  await page.goto(PAGE);
  await button().waitFor();
  await ask("outage");
  await button().click();
  expect(await page.locator("[role=alert]").innerText()).toMatch(/failed too often .* sign in otherwise/);
  const why = page.getByText("nobody is sent there now");
  expect(await why.innerText()).toMatch(/Try again in (30|2\d) s\.$/);
  expect(await button().isDisabled()).toBe(true);
  expect(await button().getAttribute("aria-describedby")).toBe(await why.getAttribute("id"));
  await page.mouse.move(0, 0);
  expect(await faultsOf(page)).toEqual([]);
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    if (PICTURES) await page.screenshot({ path: `${PICTURES}/providers-${colorScheme}.png` });
  }
  await page.reload();
  expect(await button().isDisabled()).toBe(true);
});

test("the page finds by itself that it is over", async () => {
  await page.clock.fastForward(5_000);
  expect(await button().isDisabled()).toBe(true);
  await ask("kill");
  await ask("start"); // it knows of no failures
  await page.clock.fastForward(40_000);
  await page.locator("button:enabled", { hasText: "Sign in with Acme" }).waitFor();
  expect(await page.getByText("nobody is sent there now").count()).toBe(0);
});
