// Questions of tools in Chromium: a form made of their fields, sent and declined.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ToolRule } from "../src/gen/antiphon/integration/v1/tool_pb";
import { faultsOf, launch, listen } from "./browser";
import { PAGE, newPerson } from "./world";
import { Session } from "../src/antiphon";

const BAKE = "cakes.bake";
const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

interface Place {
  person: { name: string; password: string };
  hash: string;
  complaints: string[];
}

/** A conversation whose model may ask for a cake. */
async function place(): Promise<Place> {
  const person = await newPerson();
  const session = new Session({ baseUrl: PAGE }, "test");
  await session.logInByPassword(person.name, person.password);
  const { context, tools } = session.stubs;
  const { conversation } = await context.createConversation({ title: "Cakes", tools: [BAKE], models: ["scripted/echo"] });
  await tools.setToolRule({ workspaceId: conversation!.workspaceId, name: BAKE, rule: ToolRule.ALWAYS });
  return { person, hash: `#/c/${conversation!.conversationId}`, complaints: [] };
}

async function open({ person, hash, complaints }: Place, width = 1280): Promise<Page> {
  const context = await browser.newContext({ colorScheme: "light", viewport: { width, height: 800 } });
  context.setDefaultTimeout(25_000);
  const page = await context.newPage();
  listen(page, complaints);
  await page.goto(PAGE + "/" + hash);
  await page.fill("[name=name]", person.name);
  await page.fill("[name=password]", person.password);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".composer textarea");
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.fill(".composer textarea", text);
  await page.keyboard.press("Enter");
}

const depicted = async (page: Page, name: string) => {
  if (PICTURES) await page.screenshot({ path: `${PICTURES}/questions-${name}.png` });
};

test("a form is filled in over a reload, and a second browser is shown the answer", async () => {
  const where = await place();
  const [page, other] = [await open(where), await open(where, 390)];
  await say(page, "Cake?");
  await page.locator(".asked").getByText("shall it be?").waitFor();
  await page.locator("[aria-live]").getByText("cakes.bake asks").waitFor({ state: "attached" });
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
}, 60_000);

test("who declines is shown so, and the tool is told", async () => {
  const where = await place();
  const page = await open(where);
  await say(page, "Cake?");
  await page.getByRole("button", { name: "Decline" }).click();
  await page.locator(".call.succeeded").getByText("Declined by you").waitFor();
  await page.locator(".call-preview").getByText("No cake for Anna: decline").waitFor();
  expect(where.complaints).toEqual([]);
}, 60_000);

test("stop ends a question, which nobody can answer then", async () => {
  const where = await place();
  const page = await open(where);
  await say(page, "Cake?");
  await page.locator(".asked").waitFor();
  await page.getByRole("button", { name: "Stop the answer" }).click();
  await page.locator(".call.stopped").waitFor();
  expect(await page.locator(".asked").count()).toBe(0);
  expect(where.complaints).toEqual([]);
}, 60_000);
