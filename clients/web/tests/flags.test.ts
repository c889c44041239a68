// Flags in Chromium: who is flagged and why, what that does, and clearing it.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Session } from "../src/antiphon";
import { AnomalySubject, FlagEffect } from "../src/gen/antiphon/context/v1/anomaly_pb";
import { asking } from "./asking";
import { faultsOf, launch, listen } from "./browser";
import { PAGE, ask } from "./world";

const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
const RATE = { case: "rate" as const, value: { most: 2 } };
const REPETITION = { case: "repetition" as const, value: { most: 2, leastBytes: 1 } };
const FLOODS = { name: "floods", kind: RATE, effect: FlagEffect.THROTTLE, throttlePerMinute: 3 };
const PARROTS = { name: "parrots", kind: REPETITION, effect: FlagEffect.REVIEW };
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const depicted = async (page: Page, name: string) => {
  if (!PICTURES) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${PICTURES}/flags-${name}-${colorScheme}.png` });
  }
  await page.emulateMedia({ colorScheme: "light" });
};
const rowsOf = (page: Page) => page.getByRole("region", { name: "What is flagged", exact: true }).locator("tbody tr");
const flood = async (session: Session, conversationId: string) => {
  const parts = [{ content: { case: "text" as const, value: "The same over and over" } }];
  for (let count = 0; count < 6; count += 1) await session.stubs.context.postMessage({ conversationId, parts }).catch(() => {});
};

test("an admin sees who is flagged by which figures, and clears it with a reason", async () => {
  const { page, complaints, session, conversation } = await asking(browser);
  const { workspaceId: parent, conversationId } = conversation;
  await page.goto(`${PAGE}/#/flags`);
  await page.getByText("Nothing is out of the ordinary.").waitFor();
  await page.getByText("There are none here, so nothing is watched.").waitFor();
  await session.stubs.anomalies.setDetectors({ parent, detectors: [FLOODS, PARROTS] });
  await flood(session, conversationId);
  const flag = rowsOf(page).filter({ hasText: "floods" });
  await flag.getByText("throttled").waitFor();
  await flag.getByText(/^until .+, 3 a minute$/).waitFor();
  await flag.getByText(/^messages: \d+, most: 2/).waitFor();
  await flag.getByText(session.user!.displayName).waitFor();
  await rowsOf(page).filter({ hasText: "parrots" }).getByText("to be looked at").waitFor();
  await page.reload();
  const detectors = page.getByRole("region", { name: "Detectors", exact: true }).locator("tbody tr");
  await detectors.filter({ hasText: "floods" }).getByText("throttle to 3 a minute, for 10 min").waitFor();
  await flag.getByText("throttled").waitFor();
  const clear = flag.getByRole("button", { name: /^Clear: .+, by floods$/ });
  const [box, table] = await Promise.all([clear.boundingBox(), page.getByRole("region", { name: "What is flagged" }).boundingBox()]);
  expect(box!.x + box!.width).toBeLessThanOrEqual(table!.x + table!.width);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "admin");
  await clear.press("Enter");
  await page.getByLabel("Why").fill("a <b>test</b>");
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "clear");
  await page.keyboard.press("Enter");
  await flag.waitFor({ state: "detached" });
  await page.getByLabel("cleared ones, too").check();
  await flag.getByText("cleared", { exact: true }).waitFor();
  await flag.getByText(`by ${session.user!.displayName}: a <b>test</b>`).waitFor();
  expect(await flag.getByRole("button").count()).toBe(0);
  await page.setViewportSize({ width: 390, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "phone");
  expect(complaints).toEqual([]);
}, 120_000);

test("an admin makes detectors, changes and sets them, meets another's, and goes back", async () => {
  const { page, complaints, session, conversation } = await asking(browser);
  const { workspaceId: parent } = conversation;
  await page.goto(`${PAGE}/#/flags`);
  await page.getByRole("button", { name: "New detector" }).click();
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Name").fill("spending");
  await dialog.getByLabel("Watches").selectOption("what is spent");
  expect(await dialog.getByLabel("Of", { exact: true }).locator("option").allInnerTexts()).not.toContain("each session");
  await dialog.getByLabel("So many tokens are too many for anybody").fill("5000");
  await dialog.getByLabel("So many seconds of the past count").fill("1200");
  await dialog.getByLabel("Flagged from this score on").fill("0.8");
  await dialog.getByLabel("Who is flagged is shown here, and then").selectOption("throttle");
  await dialog.getByLabel("So many messages are still taken in a minute").fill("4");
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "dialog");
  await dialog.getByRole("button", { name: "Add it" }).click();
  await page.getByText("Not set yet: those of before go on watching.").waitFor();
  const row = (name: string) => page.getByRole("region", { name: "Detectors", exact: true }).locator("tbody tr").filter({ hasText: name });
  await row("spending").getByText(`5,000 tokens within 20 min; from a score of 0.8 on`).waitFor();
  await row("spending").getByText("throttle to 4 a minute, for 10 min").waitFor();
  expect((await session.stubs.anomalies.getDetectors({ parent })).detectors!.detectors).toEqual([]);
  await page.getByLabel("Why they are changed").fill("tokens are dear");
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "draft");
  await page.getByRole("button", { name: "Set them" }).click();
  await page.getByText("Revision 1 holds from now on.").waitFor();
  const { detectors: [made] } = (await session.stubs.anomalies.getDetectors({ parent })).detectors!;
  expect(made).toMatchObject({ name: "spending", threshold: 0.8, throttlePerMinute: 4, kind: { case: "cost", value: { mostTokens: 5000n, times: 0 } } });
  await page.getByRole("button", { name: "Change spending" }).click();
  expect(await dialog.getByLabel("So many tokens are too many for anybody").inputValue()).toBe("5000");
  await dialog.getByLabel("Who is flagged is shown here, and then").selectOption("have people look");
  await dialog.getByRole("button", { name: "Change it" }).click();
  await page.getByRole("button", { name: "Disable spending" }).click();
  await row("spending").getByText("disabled").waitFor();
  await session.stubs.anomalies.setDetectors({ parent, detectors: [FLOODS], comment: "another's" });
  await page.getByRole("button", { name: "Set them" }).click();
  await page.getByText("Somebody changed it meanwhile. Look again.").waitFor();
  await page.getByText("Somebody has set others meanwhile. Discard your changes to see them.").waitFor();
  await depicted(page, "conflict");
  await page.getByRole("button", { name: "Discard" }).click();
  await row("floods").waitFor();
  expect(await row("spending").count()).toBe(0);
  await page.getByRole("button", { name: "Take revision 1 again" }).click();
  await row("spending").waitFor();
  await page.getByRole("button", { name: "Take spending out" }).click();
  await page.getByText("There are none here, so nothing is watched.").waitFor();
  await page.getByRole("button", { name: "Set them" }).click();
  await page.getByText("Revision 3 holds from now on.").waitFor();
  await page.setViewportSize({ width: 390, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole("button", { name: "Take revision 2 again" }).click();
  await row("floods").waitFor();
  await depicted(page, "detectors-phone");
  await page.getByRole("button", { name: "Change floods" }).click();
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "dialog-phone");
  expect(complaints).toEqual([]);
}, 120_000);

test("what does not fit on a page is shown when somebody asks for more", async () => {
  const { page, complaints, session, conversation } = await asking(browser);
  const { workspaceId: parent } = conversation;
  const each = { name: "talks", subject: AnomalySubject.CONVERSATION, kind: { case: "rate" as const, value: { most: 1 } } };
  await session.stubs.anomalies.setDetectors({ parent, detectors: [each] });
  const parts = [{ content: { case: "text" as const, value: "Hello" } }];
  for (let count = 0; count < 203; count += 1) {
    const { conversation: made } = await session.stubs.context.createConversation({ workspaceId: parent });
    await session.stubs.context.postMessage({ conversationId: made!.conversationId, parts });
  }
  await page.goto(`${PAGE}/#/flags`);
  await expect.poll(() => rowsOf(page).count()).toBe(20);
  await page.getByRole("button", { name: "More" }).click();
  await expect.poll(() => rowsOf(page).count()).toBe(203);
  expect(await page.getByRole("button", { name: "More" }).count()).toBe(0);
  expect(complaints).toEqual([]);
}, 120_000);

test("operators see those of all workspaces", async () => {
  const { session, conversation } = await asking(browser);
  const { workspaceId: parent, conversationId } = conversation;
  await session.stubs.anomalies.setDetectors({ parent, detectors: [{ ...FLOODS, name: "elsewhere" }] });
  await flood(session, conversationId);
  const context = await browser.newContext({ colorScheme: "light", viewport: { width: 1200, height: 800 } });
  context.setDefaultTimeout(50_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  listen(page, complaints);
  await page.goto(`${PAGE}/#link=${await ask("link")}`);
  await page.waitForSelector(".composer textarea");
  await page.goto(`${PAGE}/operator.html#flags`);
  const flag = rowsOf(page).filter({ hasText: "elsewhere" });
  await flag.getByText(session.user!.displayName).waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "operator");
  await flag.getByRole("button", { name: /^Clear/ }).click();
  await page.getByLabel("Why").fill("by an operator");
  await page.getByRole("button", { name: "Clear it" }).click();
  await flag.waitFor({ state: "detached" });
  expect(complaints).toEqual([]);
}, 120_000);
