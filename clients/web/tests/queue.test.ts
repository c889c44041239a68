// The queue in Chromium: what waits for people is seen, claimed and answered.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Session } from "../src/antiphon";
import { Role } from "../src/gen/antiphon/auth/v1/access_pb";
import { FilterAction } from "../src/gen/antiphon/context/v1/filter_pb";
import { asking } from "./asking";
import { faultsOf, launch, listen } from "./browser";
import { PAGE, ask as world, newPerson } from "./world";

const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const depicted = async (page: Page, name: string) => {
  if (!PICTURES) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${PICTURES}/queue-${name}-${colorScheme}.png` });
  }
  await page.emulateMedia({ colorScheme: "light" });
};

test("what waits for people is claimed and answered, and is the person's", async () => {
  const { page, complaints, session, conversation, ask } = await asking(browser);
  const { conversationId } = conversation;
  await page.goto(`${PAGE}/#/queue`);
  await page.getByText("Nothing waits for you here.").waitFor();
  await depicted(page, "empty");
  await ask("people", "My parcel never came. May I have my money back?");
  const first = page.locator(".queued").first();
  await first.getByText("My parcel never came. May I have my money back?").waitFor();
  await first.getByText(" in A tree of turns").waitFor();
  await first.click();
  await page.locator(".last-said").getByText("My parcel never came.").waitFor();
  await page.getByRole("button", { name: "Claim" }).click();
  await page.getByText("yours").waitFor();
  await page.fill(".answer-handoff textarea", "Of course: it is on its way.");
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "open");
  await page.setViewportSize({ width: 390, height: 800 });
  await depicted(page, "narrow");
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  await page.setViewportSize({ width: 1100, height: 800 });
  await page.getByRole("button", { name: "Answer", exact: true }).click();
  await page.getByText("Nothing waits for you here.").waitFor();
  await page.goto(`${PAGE}/#/c/${conversationId}`);
  const said = page.locator(".message.assistant").last();
  await said.getByText("Of course: it is on its way.").waitFor();
  await depicted(page, "answered");
  await said.getByText("a person", { exact: true }).waitFor();
  expect(await said.getByRole("button", { name: "Ask again" }).count()).toBe(0);
  expect(await faultsOf(page)).toEqual([]);
  await page.setViewportSize({ width: 390, height: 800 });
  await depicted(page, "answered-narrow");
  const author = await said.locator("h2").first().textContent();
  expect(author).toBe(session.user!.displayName || session.user!.name);
  expect(complaints).toEqual([]);
});

test("a conversation says that its answer waits for people; another's hand-off can be taken over", async () => {
  const { page, complaints, session, conversation, ask } = await asking(browser);
  const { conversationId } = conversation;
  const turnId = await ask("echo", "word ".repeat(400));
  await page.getByText("word word").first().waitFor();
  const handed = await session.stubs.handoffs.handOffTurn({
    conversationId,
    turnId,
    order: { reason: "it <b>repeats</b> itself", otherwise: { what: { case: "text", value: "We are closed." } } },
  });
  await page.getByText("waiting for people").waitFor();
  await depicted(page, "under-way");
  await page.goto(`${PAGE}/#/queue`);
  await page.getByText("it <b>repeats</b> itself").click();
  await page.getByText("If nobody answers, this is said: “We are closed.”").waitFor();
  await page.getByRole("button", { name: "Decline" }).click();
  await page.getByText("Nothing waits for you here.").waitFor();
  const { turn } = await session.stubs.dispatcher.getTurn({ conversationId, turnId });
  expect(turn?.handoff).toBeUndefined();
  expect(handed.turn?.handoff?.reason).toContain("repeats");
  expect(complaints).toEqual([]);
});

test("an operator sees which turns wait for people, who asked, and who left them to them", async () => {
  const context = await browser.newContext({ colorScheme: "light", viewport: { width: 1200, height: 657 } });
  context.setDefaultTimeout(50_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  listen(page, complaints);
  await page.goto(`${PAGE}/#link=${await world("link")}`);
  await page.getByLabel("Who answers").selectOption("people");
  await page.fill(".composer textarea", "May I speak to somebody?");
  await page.keyboard.press("Enter");
  await page.getByText("waiting for people").waitFor();
  await page.getByRole("button", { name: /^Account of / }).click();
  await page.getByRole("link", { name: "Queue, 1 waits" }).waitFor();
  expect(await page.locator(".account .menu-list").evaluate((list) => list.scrollHeight <= list.clientHeight)).toBe(true);
  await depicted(page, "menu");
  await page.goto(`${PAGE}/operator.html#turns`);
  await page.getByRole("link", { name: "Queue, 1 waits" }).waitFor();
  const row = page.getByRole("region", { name: "Turns" }).getByRole("row").filter({ hasText: "May I speak to somebody?" });
  await row.getByText("waits for people").waitFor();
  await row.getByText(/^by .+/).waitFor();
  await looked(page, "turns");
  expect(complaints).toEqual([]);
}, 120_000);

/** A page of somebody who is let in as an admin of a workspace. */
async function admin(session: Session, resource: string): Promise<{ page: Page; complaints: string[] }> {
  const { name, password, userId } = await newPerson();
  await session.stubs.context.addMember({ resource, userId, role: Role.ADMIN });
  const context = await browser.newContext({ colorScheme: "light", viewport: { width: 1100, height: 800 } });
  context.setDefaultTimeout(50_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  listen(page, complaints);
  await page.goto(`${PAGE}/#/queue`);
  await page.fill("[name=name]", name);
  await page.fill("[name=password]", password);
  await page.keyboard.press("Enter");
  await page.getByText("Nothing waits for you here.").waitFor();
  return { page, complaints };
}

/** Wide and narrow, in both themes. */
async function looked(page: Page, name: string): Promise<void> {
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, name);
  await page.setViewportSize({ width: 390, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, `${name}-narrow`);
  await page.setViewportSize({ width: 1100, height: 800 });
}

test("what a filter holds says so to its author, and waits for another admin, who lets it go on or refuses it", async () => {
  const { page, complaints, session, conversation } = await asking(browser);
  const { workspaceId: parent } = conversation;
  const terms = { case: "terms" as const, value: { terms: ["falcon"] } };
  await session.stubs.filters.setFilters({ parent, filters: [{ name: "projects", action: FilterAction.HOLD, kind: terms }] });
  const other = await admin(session, parent);
  const say = async (text: string) => {
    await page.fill(".composer textarea", text);
    await page.keyboard.press("Enter");
    await page.getByText("Filter projects has found term. An admin of the conversation looks at it, and lets it go on or refuses it.").waitFor();
    await page.getByText("waiting until a person has looked at it").waitFor();
    await other.page.locator(".queued", { hasText: "Filter projects has found term." }).click();
    await other.page.locator(".last-said .held", { hasText: text }).waitFor();
  };
  await page.getByLabel("Who answers").selectOption("echo");
  await say("What of the <b>falcon</b>?");
  await looked(page, "held");
  await other.page.getByText("a word that is not to be said, which waits until a person has looked at it").waitFor();
  await other.page.getByText("It is for echo.").waitFor();
  await other.page.getByLabel("Why, or your answer").fill("it is known by now");
  await looked(other.page, "held-review");
  await page.goto(`${PAGE}/#/queue`);
  await page.locator(".queued").click();
  await page.getByText("You said it, so another admin looks at it.").waitFor();
  expect(await page.getByRole("button", { name: "Let it go on" }).count()).toBe(0);
  await page.goBack();
  await other.page.getByRole("button", { name: "Let it go on" }).click();
  await other.page.getByText("Nothing waits for you here.").waitFor();
  const answers = page.locator(".message.assistant:not(.under-way)");
  await answers.filter({ hasText: "What of the <b>falcon</b>?" }).waitFor();
  await page.locator(".message.user").getByText("held by a filter until a person has looked at it").waitFor();
  await looked(page, "held-let-go");
  await say("And where is the falcon?");
  await other.page.getByLabel("Why, or your answer").fill("not <b>here</b>");
  await other.page.getByRole("button", { name: "Refuse" }).click();
  await page.getByText("A person has declined it: not <b>here</b>").waitFor();
  await page.reload();
  await page.getByText("A person has declined it: not <b>here</b>").waitFor();
  expect(await page.getByText("broken off").count()).toBe(0);
  await looked(page, "held-refused");
  expect([...complaints, ...other.complaints]).toEqual([]);
}, 150_000);
