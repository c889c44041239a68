// Filters in Chromium: what is refused comes back, what is cut out is told, and admins set the chain.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NOBODY, type Session } from "../src/antiphon";
import { Role } from "../src/gen/antiphon/auth/v1/access_pb";
import { FlagEffect } from "../src/gen/antiphon/context/v1/anomaly_pb";
import { FilterAction } from "../src/gen/antiphon/context/v1/filter_pb";
import { type Asking, asking } from "./asking";
import { faultsOf, launch, listen } from "./browser";
import { PAGE, ask, newPerson } from "./world";

const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
const CARD = "Pay with 4111 1111 1111 1111, please";
const KEY = "The key is AKIAIOSFODNN7EXAMPLE, keep it";
const KEYS = { name: "keys", action: FilterAction.SANITISE, kind: { case: "secrets" as const, value: {} } };
const CARDS = { name: "cards", action: FilterAction.BLOCK, kind: { case: "personalData" as const, value: { categories: ["card"] } } };
const AWAY = { name: "moderation", action: FilterAction.BLOCK, kind: { case: "remote" as const, value: { tool: "nobody.Filter.Screen" } } };
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const depicted = async (page: Page, name: string) => {
  if (!PICTURES) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${PICTURES}/filters-${name}-${colorScheme}.png` });
  }
  await page.emulateMedia({ colorScheme: "light" });
};
const area = (page: Page) => page.locator(".composer textarea");
const said = (page: Page) => page.locator(".message.user:not(.sending):not(.failed)");
const rowsOf = (page: Page, name: string) => page.getByRole("region", { name, exact: true }).locator("tbody tr");
const linkOf = (page: Page, name: string) => page.getByRole("list", { name: "The chain" }).getByRole("listitem").filter({ hasText: name });
const say = async (page: Page, text: string) => {
  await area(page).fill(text);
  await page.keyboard.press("Enter");
};
const echoed = async ({ page }: Asking) => page.getByLabel("Who answers").selectOption("echo");
const standing = (session: Session, parent: string, filters: object[]) => session.stubs.filters.setFilters({ parent, filters });
const posted = (session: Session, conversationId: string, text: string) =>
  session.stubs.context.postMessage({ conversationId, parts: [{ content: { case: "text", value: text } }] }).catch(() => {});
const isNarrow = async (page: Page) => {
  await page.setViewportSize({ width: 390, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  expect(await faultsOf(page)).toEqual([]);
};

test("what a filter refuses comes back to be changed, and is nowhere else", async () => {
  const here = await asking(browser);
  const { page, complaints, session, conversation } = here;
  const { conversationId, workspaceId } = conversation;
  await standing(session, workspaceId, [KEYS, CARDS]);
  await echoed(here);
  await say(page, CARD);
  await page.getByText("The filter cards refuses this, because of a card number. Nothing of it was stored. Change it, and send it again.").waitFor();
  expect(await area(page).inputValue()).toBe(CARD);
  expect(await page.locator(".message").count()).toBe(0);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "refused");
  await page.reload();
  await expect.poll(() => area(page).inputValue()).toBe(CARD);
  await say(page, "Pay by invoice, please");
  await page.locator(".message.assistant:not(.under-way)").filter({ hasText: "invoice" }).waitFor();
  expect(await page.getByRole("alert").count()).toBe(0);
  expect(await said(page).count()).toBe(1);
  const { messages } = await session.stubs.context.listMessages({ conversationId });
  expect(JSON.stringify(messages.map(({ parts }) => parts))).not.toContain("4111");
  await page.goto(`${PAGE}/#/`);
  await say(page, CARD);
  await page.getByText(/^The filter cards refuses this/).waitFor();
  expect(await area(page).inputValue()).toBe(CARD);
  expect(complaints).toEqual([]);
}, 120_000);

test("who writes on meanwhile loses neither", async () => {
  const here = await asking(browser, 390);
  const { page, complaints, session, conversation } = here;
  await standing(session, conversation.workspaceId, [CARDS]);
  await echoed(here);
  let answer = () => {};
  await page.route("**/Dispatch", async (route) => {
    await new Promise<void>((done) => (answer = done));
    await route.continue();
  });
  await say(page, CARD);
  await page.getByText("sending…").waitFor();
  await area(page).fill("And another thing");
  await page.unroute("**/Dispatch", { behavior: "ignoreErrors" } as never);
  answer();
  const failed = page.locator(".message.failed");
  await failed.getByText(/^The filter cards refuses this/).waitFor();
  expect(await failed.getByRole("button", { name: "Send again" }).count()).toBe(0);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "in-place");
  await failed.getByRole("button", { name: "Change it" }).click();
  await failed.waitFor({ state: "detached" });
  expect(await area(page).inputValue()).toBe(`${CARD}\n\nAnd another thing`);
  await area(page).fill("");
  expect(complaints).toEqual([]);
}, 120_000);

test("what was cut out is told, also behind a reload, and to people alone", async () => {
  const here = await asking(browser);
  const { page, complaints, session, conversation } = here;
  await standing(session, conversation.workspaceId, [KEYS]);
  await echoed(here);
  await say(page, KEY);
  const question = said(page).filter({ hasText: /^(?!.*Aside).*The key is \[aws_key\], keep it/s });
  await question.getByText("taken out before it was stored: aws key (filter keys)").waitFor();
  await page.getByLabel("Who answers").selectOption(NOBODY);
  await say(page, `Aside: ${KEY}`);
  const aside = said(page).filter({ hasText: "Aside: The key is [aws_key]" });
  await aside.getByText("taken out before it was stored: aws key (filter keys)").waitFor();
  await say(page, "I write [aws_key] by hand");
  await said(page).filter({ hasText: "by hand" }).waitFor();
  expect(await page.locator(".removed").count()).toBe(2);
  await page.reload();
  await aside.locator(".removed").waitFor();
  await question.locator(".removed").waitFor();
  expect(await page.locator(".removed").count()).toBe(2);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "cut-out");
  expect(complaints).toEqual([]);
}, 120_000);

test("a filter that can't look, and too much from one place, say when to try again", async () => {
  const here = await asking(browser);
  const { page, complaints, session, conversation } = here;
  const { workspaceId } = conversation;
  const target = { case: "grpc" as const, value: { address: "https://nobody.example" } };
  await session.stubs.connections.createConnection({ workspaceId, connection: { name: "nobody", title: "Is away", target } });
  await standing(session, workspaceId, [AWAY]);
  await echoed(here);
  await say(page, "Hello?");
  await page.getByText("The filter moderation can't look at this now, and nothing passes that it has not looked at.").waitFor();
  await page.getByRole("timer").getByText("It can be sent again now.").waitFor();
  await standing(session, workspaceId, []);
  await page.getByRole("button", { name: "Send again" }).click();
  await page.locator(".message.assistant:not(.under-way)").filter({ hasText: "Hello?" }).waitFor();
  const rate = { case: "rate" as const, value: { most: 2 } };
  const detectors = [{ name: "floods", kind: rate, effect: FlagEffect.THROTTLE, throttlePerMinute: 1 }];
  await session.stubs.anomalies.setDetectors({ parent: workspaceId, detectors });
  for (let count = 0; !(await page.getByText(/^More came from here than is usual/).count()); count += 1) {
    expect(count).toBeLessThan(20);
    await say(page, `Again, ${count}`);
    await page.locator(".sending").waitFor({ state: "detached" });
  }
  await page.getByRole("timer").getByText(/^It can be sent again in \d+/).waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "throttled");
  expect(complaints).toEqual([]);
}, 120_000);

test("an admin makes, tries, orders and sets filters, and goes back", async () => {
  const { page, complaints, session, conversation } = await asking(browser);
  const { workspaceId: parent } = conversation;
  await page.goto(`${PAGE}/#/filters`);
  await page.getByText("This workspace has none of its own.").waitFor();
  await page.getByText(/^What people say in the workspace .+ and tools return there/).waitFor();
  await page.getByText("Whether there are any, and what they look for, only operators may read.").waitFor();
  await page.getByRole("button", { name: "New filter" }).click();
  await page.getByLabel("Name").fill("keys");
  await page.getByRole("button", { name: "Add it" }).click();
  await page.getByRole("button", { name: "New filter" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("people");
  await dialog.getByLabel("Looks for").selectOption("personal data");
  await dialog.getByLabel("a card number").check();
  await dialog.getByLabel("What it finds").selectOption("is refused");
  await dialog.getByLabel("tool results").uncheck();
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "dialog");
  await dialog.getByRole("button", { name: "Add it" }).click();
  await page.getByText("Not set yet: what people say goes by the filters of before.").waitFor();
  await page.getByLabel("The text").fill(CARD);
  await page.getByRole("button", { name: "Try", exact: true }).click();
  await page.getByText("It would be refused, and stored nowhere.").waitFor();
  await page.getByLabel("The text").fill(KEY);
  await page.getByRole("button", { name: "Try", exact: true }).click();
  await page.getByText("It would go on so:").waitFor();
  expect(await page.getByLabel("What would be left").innerText()).toBe("The key is [aws_key], keep it");
  await page.getByLabel("Why they are changed").fill("no cards <b>here</b>");
  await page.getByRole("button", { name: "Set them" }).click();
  await page.getByText("Revision 1 holds from now on.").waitFor();
  await page.getByText(/^Revision 1, set by .+: no cards <b>here<\/b>$/).waitFor();
  await page.getByRole("button", { name: "Move people up" }).click();
  await page.locator('[aria-label="Move people down"]:focus').waitFor();
  await page.getByRole("button", { name: "Disable keys" }).click();
  await page.getByRole("button", { name: "Set them" }).click();
  await page.getByText("Revision 2 holds from now on.").waitFor();
  const now = async () => (await session.stubs.filters.getFilters({ parent })).filters!.filters;
  expect((await now()).map(({ name, disabled }) => [name, disabled])).toEqual([["people", false], ["keys", true]]);
  await page.getByRole("button", { name: "Take keys out" }).click();
  await standing(session, parent, [CARDS]);
  await page.getByRole("button", { name: "Set them" }).click();
  await page.getByText("Somebody changed it meanwhile. Look again.").waitFor();
  await page.getByText("Somebody has set others meanwhile. Discard your changes to see them.").waitFor();
  await depicted(page, "overtaken");
  await page.getByRole("button", { name: "Discard" }).click();
  await linkOf(page, "cards").waitFor();
  await page.getByRole("button", { name: "Take revision 1 again" }).click();
  await linkOf(page, "people").waitFor();
  await page.getByRole("button", { name: "Set them" }).click();
  await page.getByText("Revision 4 holds from now on.").waitFor();
  const before = await now();
  await page.getByRole("button", { name: "Change people" }).click();
  expect(await page.getByLabel("a card number").isChecked()).toBe(true);
  await page.getByRole("button", { name: "Change it" }).click();
  await page.getByRole("button", { name: "Set them" }).click();
  await page.getByText("Revision 4 holds from now on.").waitFor();
  expect(await now()).toEqual(before);
  for (const text of [CARD, KEY]) await posted(session, conversation.conversationId, text);
  await rowsOf(page, "Screenings").filter({ hasText: "people: a card number" }).getByText("blocked").waitFor();
  await rowsOf(page, "Screenings").filter({ hasText: "keys: aws key" }).getByRole("link", { name: "message" }).waitFor();
  await linkOf(page, "people").getByText("1 of the last 2 times").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "admin");
  await isNarrow(page);
  await depicted(page, "phone");
  expect(complaints).toEqual([]);
}, 120_000);

test("members are told that filters and flags are for admins", async () => {
  const { session, conversation } = await asking(browser);
  const { name, password, userId } = await newPerson();
  await session.stubs.context.addMember({ resource: conversation.workspaceId, userId, role: Role.MEMBER });
  const context = await browser.newContext({ colorScheme: "light", viewport: { width: 1200, height: 800 } });
  context.setDefaultTimeout(50_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  listen(page, complaints);
  await page.goto(`${PAGE}/#/filters`);
  await page.fill("[name=name]", name);
  await page.fill("[name=password]", password);
  await page.keyboard.press("Enter");
  await page.getByText("Filters are for the admins of this workspace.").waitFor();
  await page.goto(`${PAGE}/#/flags`);
  await page.getByText("Flags are for the admins of this workspace.").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  expect(complaints).toEqual([]);
}, 120_000);

test("an operator sets those of all workspaces", async () => {
  const { page, complaints } = await asking(browser);
  const context = await browser.newContext({ colorScheme: "light", viewport: { width: 1200, height: 900 } });
  context.setDefaultTimeout(50_000);
  const other = await context.newPage();
  listen(other, complaints);
  await other.goto(`${PAGE}/#link=${await ask("link")}`);
  await other.waitForSelector(".composer textarea");
  await other.goto(`${PAGE}/operator.html#filters`);
  await other.getByText("There are none here").waitFor();
  await other.getByRole("button", { name: "New filter" }).click();
  await other.getByLabel("Name").fill("falcon");
  await other.getByLabel("Looks for").selectOption("words that are not to be said");
  await other.getByLabel("Words and phrases, one a line").fill("project falcon\nproject eagle");
  await other.getByLabel("What it finds").selectOption("is told of, and passes");
  await other.getByRole("dialog").getByLabel("answers").check();
  await other.getByRole("button", { name: "Add it" }).click();
  await other.getByRole("button", { name: "Set them" }).click();
  await other.getByText("2 terms: project falcon, …").waitFor();
  await other.goto(`${PAGE}/#/`);
  await other.getByLabel("Who answers").selectOption("echo"); // a workspace comes with the first conversation
  await say(other, "Hello");
  await other.locator(".message.assistant:not(.under-way)").waitFor();
  await other.goto(`${PAGE}/#/filters`);
  const ofAll = other.getByRole("list", { name: "Of the installation" }).getByRole("listitem");
  await ofAll.filter({ hasText: "falcon" }).getByText("is told of, and passes; is masked in answers").waitFor();
  await depicted(other, "of-all");
  expect(await faultsOf(other)).toEqual([]);
  await other.goto(`${PAGE}/operator.html#filters`);
  await other.getByText("2 terms: project falcon, …").waitFor();
  await page.goto(`${PAGE}/#/filters`);
  await page.getByLabel("The text").fill("Project Falcon");
  await page.getByRole("button", { name: "Try", exact: true }).click();
  await page.getByText("It would go on as it is, and be told of.").waitFor();
  await rowsOf(page, "What filters say").filter({ hasText: "falcon" }).getByText("all workspaces").waitFor();
  expect(await faultsOf(other)).toEqual([]);
  await depicted(other, "operator");
  await isNarrow(other);
  expect(complaints).toEqual([]);
}, 120_000);
