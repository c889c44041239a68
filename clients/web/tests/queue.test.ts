// The queue in Chromium: what waits for people is seen, claimed and answered.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asking } from "./asking";
import { faultsOf, launch } from "./browser";
import { PAGE } from "./world";

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
  await first.getByText("From people").waitFor();
  await first.click();
  await page.getByText("My parcel never came.").waitFor();
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
