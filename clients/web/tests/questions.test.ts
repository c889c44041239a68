// Questions of tools in Chromium: a form made of their fields, sent and declined.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ToolRule } from "../src/gen/antiphon/integration/v1/tool_pb";
import { faultsOf, launch } from "./browser";
import { open, place, say } from "./called";

const BAKE = "cakes.bake";
const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const depicted = async (page: Page, name: string) => {
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/questions-${name}.png` });
};

test("a form is filled in over a reload, and a second browser is shown the answer", async () => {
  const where = await place(BAKE, ToolRule.ALWAYS);
  const [page, other] = [await open(browser, where), await open(browser, where, 390)];
  await say(page, "Cake?");
  await page.locator(".asked").getByText("shall it be?").waitFor();
  await page.locator("[aria-live]").getByText("cakes.bake asks").waitFor({ state: "attached" });
  await page.locator(".under-way .facts").getByText("waiting for an answer").waitFor();
  await page.reload();
  await page.getByLabel("Flavour").selectOption("lemon");
  await page.getByLabel("Slices").fill("4");
  await other.locator(".asked").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  expect(await other.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  await depicted(page, "form");
  await depicted(other, "form-phone");
  await page.getByRole("button", { name: "Send answer" }).click();
  for (const each of [page, other]) {
    await each.locator(".call.succeeded").getByText("Answered by you").waitFor();
    expect(await each.locator(".asked").count()).toBe(0);
  }
  await page.locator(".call-preview").getByText("4 slices of lemon for Anna").waitFor();
  expect(where.complaints).toEqual([]);
});

test("who declines is shown so, and the tool is told", async () => {
  const where = await place(BAKE, ToolRule.ALWAYS);
  const page = await open(browser, where);
  await say(page, "Cake?");
  await page.getByRole("button", { name: "Decline" }).click();
  await page.locator(".call.succeeded").getByText("Declined by you").waitFor();
  await page.locator(".call-preview").getByText("No cake for Anna: decline").waitFor();
  expect(where.complaints).toEqual([]);
});

test("stop ends a question, which nobody can answer then", async () => {
  const where = await place(BAKE, ToolRule.ALWAYS);
  const page = await open(browser, where);
  await say(page, "Cake?");
  await page.locator(".asked").waitFor();
  await page.getByRole("button", { name: "Stop the answer" }).click();
  await page.locator(".call.stopped").waitFor();
  expect(await page.locator(".asked").count()).toBe(0);
  expect(where.complaints).toEqual([]);
});
