// Flags in Chromium: who is flagged and why, what that does, and clearing it.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Session } from "../src/antiphon";
import { FlagEffect } from "../src/gen/antiphon/context/v1/anomaly_pb";
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
