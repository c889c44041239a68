// Routes in Chromium: the operator's table, a workspace's own, and why a turn has its handler.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { Role } from "../src/gen/antiphon/auth/v1/access_pb";
import { asking } from "./asking";
import { faultsOf, launch, listen } from "./browser";
import { PAGE, ask } from "./world";

const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
const NONE = "There are none: antiphon routes set FILE sets some.";
const RULES = [
  { name: "experts", classifier: { handlers: ["invoices", "travel"] }, fallback: "echo" },
  {
    name: "german-bills",
    priority: 10,
    match: { types: ["", "form.submitted"], textPatterns: ["(?i)\\b(rechnung|mahnung)"], labels: { team: "*" } },
    handler: "invoices",
    fallback: "assistant",
  },
  { name: "orders", priority: 20, match: { textPatterns: ["order"] }, handler: "orders", fallback: "echo" },
  { name: "parrot", priority: 5, match: { textPatterns: ["parrot"] }, handler: "echo" },
];
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const depicted = async (page: Page, name: string) => {
  if (!PICTURES) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${PICTURES}/routes-${name}-${colorScheme}.png` });
  }
  await page.emulateMedia({ colorScheme: "light" });
};
const routed = (parent: string, rules: object[], comment: string) => ask("route", { parent, rules, comment });

test("the rules of all stand in the order in which they are tried, and who set them", async () => {
  const context = await browser.newContext({ colorScheme: "light", viewport: { width: 1200, height: 800 } });
  context.setDefaultTimeout(50_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  listen(page, complaints);
  await page.goto(`${PAGE}/#link=${await ask("link")}`);
  await page.waitForSelector(".composer textarea");
  await page.goto(`${PAGE}/operator.html#routes`);
  await page.getByText(NONE).waitFor();
  await depicted(page, "none");
  await routed("global", RULES, "bills <b>and</b> trips");
  const rows = page.getByRole("region", { name: "Routes", exact: true }).getByRole("row");
  await rows.nth(4).waitFor();
  const names = await rows.locator("td:nth-child(1)").allTextContents();
  expect(names).toEqual(["orders", "german-bills", "parrot", "experts"]);
  const bills = rows.filter({ hasText: "german-bills" });
  await bills.getByText("type (none) or form.submitted").waitFor();
  await bills.getByText("labels team=*").waitFor();
  await bills.getByText("text (?i)\\b(rechnung|mahnung)").waitFor();
  await rows.filter({ hasText: "everything" }).getByText("best of invoices, travel").waitFor();
  await rows.filter({ hasText: "parrot" }).getByText("next rule").waitFor();
  await page.getByText(/^Revision 1, set by .+: bills <b>and<\/b> trips$/).waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "all");
  await page.setViewportSize({ width: 390, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "phone");
  expect(complaints).toEqual([]);
}, 120_000);

test("an answer says why it is its handler's, also when one comes back", async () => {
  const { page, complaints, ask: put } = await asking(browser);
  const answer = (name: string, text: string) => page.getByRole("article", { name: new RegExp(`^${name}, `) }).filter({ hasText: text });
  const says = async (name: string, text: string, why: RegExp) => {
    const found = answer(name, text).last();
    await found.getByRole("button", { name: "Details" }).click();
    await found.getByText(why).waitFor();
  };
  const who = page.getByLabel("Who answers");
  const chosen = () => who.locator("option:checked").innerText();
  await expect.poll(chosen).toBe("by routes"); // before anything is said there
  await page.goto(`${PAGE}/#/`);
  await page.getByText("Rules find who will answer, by what you say.").waitFor();
  expect(await chosen()).toBe("by routes");
  await depicted(page, "fresh");
  await who.selectOption("assistant");
  await expect.poll(chosen).toBe("assistant");
  await who.selectOption("by routes");
  await page.goBack();
  await put("", "Where is the invoice of last month?");
  await answer("invoices", "invoices has it").waitFor();
  await says("invoices", "has it", /^chosen by the rule experts among 2: invoices [01]\.\d\d, travel 0\.\d\d$/);
  expect(await who.locator("option:checked").innerText()).toBe("by routes");
  await put("", "parrot");
  await answer("echo", "parrot").waitFor();
  await says("echo", "parrot", /^for echo by the rule parrot$/);
  await put("", "order seven");
  await answer("echo", "order seven").waitFor();
  await says("echo", "order seven", /^nobody serves orders now, so by the fallback of orders$/);
  await put("", "zzz");
  await answer("echo", "zzz").waitFor();
  await says("echo", "zzz", /^no expert is clearly the best, so by the fallback of experts: /);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "why");
  await put("travel", "by name");
  await answer("travel", "travel has it").waitFor();
  await who.selectOption("assistant");
  await page.fill(".composer textarea", "parrot, by name");
  await page.keyboard.press("Enter");
  await page.getByRole("article", { name: /^assistant, / }).waitFor();
  await page.reload();
  expect(await who.locator("option:checked").innerText()).toBe("assistant");
  await says("echo", "parrot", /^for echo by the rule parrot$/);
  await answer("travel", "has it").getByRole("button", { name: "Details" }).click();
  expect(await answer("travel", "has it").getByText("rule").count()).toBe(0);
  expect(complaints).toEqual([]);
}, 120_000);

test("who sent a message is asked who shall have it, and nobody else may answer", async () => {
  const { page, complaints, session, conversation, ask: put } = await asking(browser);
  const { workspaceId, conversationId } = conversation;
  const classifier = { handlers: ["invoices", "travel"], minScore: 1, ask: { most: 2 } };
  await session.stubs.routes.setRoutes({ parent: workspaceId, rules: [{ name: "unsure", classifier, fallback: "echo" }] });
  const other = await asking(browser, 390);
  const { userId } = other.session.user!;
  await session.stubs.context.addMember({ resource: conversationId, userId, role: Role.MEMBER });
  await other.page.goto(`${PAGE}/#/c/${conversationId}`);
  await put("", "Where is the train of the invoice?");
  const form = page.locator(".asked");
  await form.getByText("Several could answer this. Who shall?").waitFor();
  expect(await form.locator("option").allInnerTexts()).toContain("none of these: echo");
  expect(await form.getByText("Whoever asks reads").count()).toBe(0);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "asked");
  await other.page.locator(".asked").getByText("Several could answer this. Who shall?").waitFor();
  expect(await other.page.locator(".asked button").count()).toBe(0);
  await form.getByLabel("Who").selectOption("travel");
  await page.getByRole("button", { name: "Send answer" }).click();
  const answered = page.getByRole("article", { name: /^travel, / }).last();
  await answered.getByText("travel has it").last().waitFor();
  await answered.getByRole("button", { name: "Details" }).click();
  await answered.getByText(/^chosen by who was asked, as the rule unsure says: /).waitFor();
  await depicted(page, "chosen");
  await page.goto(`${PAGE}/#/usage`);
  await page.getByText("best of invoices, travel (from 1), else asks").waitFor();
  expect([...complaints, ...other.complaints]).toEqual([]);
}, 120_000);

test("a workspace's own stand below its usage, for its admins", async () => {
  const { page, complaints, session, conversation } = await asking(browser, 390);
  const { workspaceId } = conversation;
  await page.goto(`${PAGE}/#/usage`);
  await page.getByRole("heading", { name: "Budgets", exact: true }).waitFor();
  expect(await page.getByRole("heading", { name: "Routes" }).count()).toBe(0);
  const rules = [{ name: "all", handler: "echo" }];
  await session.stubs.routes.setRoutes({ parent: workspaceId, rules });
  await page.reload();
  await page.getByRole("heading", { name: "Routes" }).waitFor();
  const all = page.getByRole("region", { name: "Routes", exact: true }).getByRole("row").last();
  await all.getByText("everything").waitFor();
  await depicted(page, "workspace");
  await session.stubs.routes.setRoutes({ parent: workspaceId, rules: [] });
  await page.getByText(NONE).waitFor();
  await page.getByText(/^Revision 2, set by /).waitFor();
  expect(await faultsOf(page)).toEqual([]);
  expect(complaints).toEqual([]);
}, 120_000);
