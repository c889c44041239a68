// Models in bad weather, in Chromium: what operators see of them and do, and what a chat says.

import type { Browser, Locator, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { depict, faultsOf, launch, listen } from "./browser";
import { PAGE, ask } from "./world";

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1200, height: 800 };
let browser: Browser;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  browser = await launch();
  const context = await browser.newContext({ colorScheme: "light", viewport: DESK });
  context.setDefaultTimeout(50_000);
  page = await context.newPage();
  listen(page, complaints);
  await page.goto(`${PAGE}/#link=${await ask("link")}`);
  await page.waitForSelector(".composer textarea");
});
afterAll(() => browser?.close());
afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await depict(page, task.name);
  expect(complaints.splice(0)).toEqual([]);
});

const row = (model: string): Locator => page.getByRole("row").filter({ has: page.getByRole("cell", { name: model }).first() });
const wide = () => page.evaluate(() => document.documentElement.scrollWidth);
const refusal = () => page.locator(".message .facts").getByRole("alert");

async function operators(): Promise<void> {
  await page.goto(`${PAGE}/operator.html#models`);
  await row("fake/well").waitFor();
}

async function say(model: string, text = "Hello"): Promise<void> {
  await page.goto(`${PAGE}/#/`);
  await page.locator(".composer textarea").waitFor();
  await page.getByLabel("Model").selectOption(model);
  await page.fill(".composer textarea", text);
  await page.keyboard.press("Enter");
}

test("a model that fails is said to be left alone, with what its provider said", async () => {
  for (const _ of [1, 2]) {
    await say("fake/down");
    await refusal().getByText(/is not available now|failed too often/).waitFor();
  }
  await say("fake/down");
  await refusal().getByText(/fake.down has failed too often and is left alone. Ask again in \d+ s, or choose another model./).waitFor();
  await operators();
  await row("fake/down").getByText("left alone").waitFor();
  expect(await row("fake/down").innerText()).toMatch(/MODEL_UNAVAILABLE · HTTP 503/);
});

test("each model has its state and all of its prices", async () => {
  expect(await row("fake/well").innerText()).toMatch(/asked/);
  expect(await row("fake/unpriced").innerText()).toContain("unknown");
  const tiers = (await row("fake/tiers").innerText()).replace(/\s+/g, " ");
  expect(tiers).toMatch(/read \$1\.25 cached \$0\.125 written \$10\.00/);
  expect(tiers).toMatch(/above 200,000 tokens read \$2\.50 cached \$0\.25 written \$15\.00/);
});

test("an operator has a model asked no more, and again", async () => {
  await page.getByRole("button", { name: "Stop asking: fake/held" }).click();
  await row("fake/held").getByText("not asked, by an operator").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await depict(page, "models");
  await page.setViewportSize(PHONE);
  expect(await wide()).toBe(PHONE.width);
  expect(await faultsOf(page)).toEqual([]);
  for (const what of ["not asked, by an operator", "Ask again"]) {
    const box = await row("fake/held").getByText(what).boundingBox();
    expect(box!.x + box!.width).toBeLessThan(PHONE.width);
  }
  await depict(page, "models on a phone");
  await page.setViewportSize(DESK);
  await say("fake/held");
  await refusal().getByText("An operator has fake/held asked no more. Choose another model.").waitFor();
  await operators();
  await page.getByRole("button", { name: "Ask again: fake/held" }).click();
  await row("fake/held").getByText("asked", { exact: true }).waitFor();
  await page.getByRole("button", { name: "Stop asking: fake/held" }).waitFor();
  await say("fake/held");
  await page.locator(".message.assistant:not(.under-way) .facts").waitFor();
  expect(await page.locator(".message.assistant").getByRole("alert").count()).toBe(0);
});

test("an answer says why it is not of the first model, and a failure that none could answer", async () => {
  await page.goto(`${PAGE}/#/c/${await ask("listed", ["fake/down", "fake/well"])}`);
  await page.fill(".composer textarea", "Hello");
  await page.keyboard.press("Enter");
  await page.locator(".message.assistant .facts").getByText("by fake/well · fake/down is not available").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await page.goto(`${PAGE}/#/c/${await ask("listed", ["fake/limited", "fake/down"])}`);
  await page.fill(".composer textarea", "Hello");
  await page.keyboard.press("Enter");
  await refusal().getByText(/None of the models can answer: not fake.limited, and fake.down (is not|has failed)/).waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await depict(page, "none answers");
});

test("a model without a price is refused where a budget counts money, and says what to do", async () => {
  await page.goto(`${PAGE}/#/usage`);
  await page.getByRole("button", { name: "New budget" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("team");
  await page.getByRole("spinbutton", { name: "Limit" }).fill("5");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByText("$5.00 a month").waitFor();
  await say("fake/unpriced");
  const words = "The budget team counts USD, and what fake/unpriced costs is not known. Choose another model, or ask an operator";
  await refusal().getByText(words).waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await depict(page, "price unknown");
});
