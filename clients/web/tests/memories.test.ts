// What is remembered about somebody, in Chromium: looked through, added, corrected and forgotten.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { MemoryKind, MemoryOrigin } from "../src/gen/antiphon/memory/v1/memory_pb";
import { asking } from "./asking";
import { faultsOf, launch } from "./browser";

const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
const HOSTILE = "<img src=x onerror=alert(1)> likes **tea**";
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const depicted = async (page: Page, name: string) => {
  if (!PICTURES) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${PICTURES}/memories-${name}-${colorScheme}.png` });
  }
  await page.emulateMedia({ colorScheme: "light" });
};

test("it is looked through, added to, corrected and forgotten", async () => {
  const { page, complaints, session, conversation } = await asking(browser);
  const { conversationId } = conversation;
  const { context, memories } = session.stubs;
  const said = { content: { case: "text" as const, value: "My dog Rex and I moved to Lyon." } };
  const { message } = await context.postMessage({ conversationId, parts: [said] });
  const source = { conversationId, messageId: message!.messageId, start: 0, end: 10 };
  const fact = { kind: MemoryKind.FACT, origin: MemoryOrigin.RULES, subject: session.actor };
  const put = async (text: string, more = {}) => (await memories.putMemory({ memory: { ...fact, text, sources: [source], ...more } })).memory!;
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("link", { name: "What is remembered" }).click();
  await page.getByRole("heading", { name: "What is remembered about me" }).waitFor();
  await page.getByText("Nothing is remembered about you.").waitFor();
  expect(await faultsOf(page)).toEqual([]);

  const before = await put("Lives in Nice");
  await put("Lives in Lyon", { entities: ["Lyon", "Rex"], supersedes: before.memoryId });
  await put(HOSTILE, { kind: MemoryKind.PREFERENCE, sources: [source, { ...source, start: 3 }] });
  await page.reload();
  const view = page.getByRole("region", { name: "What is remembered about me" });
  await view.getByRole("heading", { name: "Remembered: 2 of 3" }).waitFor();
  await view.getByText("<img src=x onerror=alert(1)> likes **tea**").waitFor();
  const home = view.getByRole("article", { name: "Lives in Lyon" });
  expect(await home.getByRole("list", { name: "Names in it" }).getByRole("listitem").allInnerTexts()).toEqual(["Lyon", "Rex"]);
  await home.getByText(/^found in what you said, /).waitFor();
  await depicted(page, "list");
  expect(await faultsOf(page)).toEqual([]);

  await view.getByLabel("also what is no more so").check();
  const past = view.getByRole("article", { name: "Lives in Nice" });
  await past.getByText("no more so").waitFor();
  await past.getByText("Now: Lives in Lyon").waitFor();
  await view.locator("select[name=kinds]").selectOption("preference");
  await expect.poll(() => view.getByRole("article").count()).toBe(1);
  await view.locator("select[name=kinds]").selectOption("all");
  await view.getByLabel("Find by words").fill("rex lyon");
  await expect.poll(() => view.getByRole("article").count()).toBe(1);
  await view.getByLabel("Find by words").fill("");
  await view.getByLabel("also what is no more so").uncheck();

  await view.getByRole("button", { name: "Add one" }).click();
  await page.keyboard.type("Answers are to be brief");
  await depicted(page, "draft");
  expect(await faultsOf(page)).toEqual([]);
  await page.keyboard.press("Escape");
  expect(await view.getByLabel("What to remember").count()).toBe(0);
  await view.getByRole("button", { name: "Add one" }).click();
  await page.keyboard.type("Answers are to be brief");
  await view.locator("select[name=kind]").selectOption("preference");
  await view.getByRole("button", { name: "Save" }).click();
  const own = view.getByRole("article", { name: "Answers are to be brief" });
  await own.getByText(/^put by you, /).waitFor();
  await expect.poll(() => page.evaluate(() => document.activeElement?.tagName)).toBe("H2");

  await home.getByRole("button", { name: "What to do with Lives in Lyon" }).click();
  await page.keyboard.press("Enter"); // what the menu has first
  const text = view.getByLabel("What to remember");
  await text.fill("Lives near Lyon");
  await page.keyboard.press("Tab");
  await view.getByRole("button", { name: "Save" }).click();
  const corrected = view.getByRole("article", { name: "Lives near Lyon" });
  await corrected.getByText(/^put by you, /).waitFor();
  await corrected.getByRole("button", { name: /^What to do with/ }).click();
  await corrected.getByRole("button", { name: "Earlier versions" }).click();
  await corrected.getByRole("list", { name: "What Lives near Lyon was" }).getByText("Lives in Lyon").waitFor();
  await depicted(page, "versions");
  expect(await faultsOf(page)).toEqual([]);

  await corrected.getByRole("button", { name: /^What to do with/ }).click();
  await corrected.getByRole("button", { name: "Forget" }).click();
  const question = page.getByRole("dialog", { name: "Forget “Lives near Lyon”?" });
  await question.getByRole("button", { name: "Cancel" }).click();
  expect(await corrected.count()).toBe(1);
  await corrected.getByRole("button", { name: /^What to do with/ }).click();
  await corrected.getByRole("button", { name: "Forget" }).click();
  await depicted(page, "forget");
  await question.getByRole("button", { name: "Forget it" }).click();
  await corrected.waitFor({ state: "detached" });
  expect(await question.count()).toBe(0);

  await page.setViewportSize({ width: 390, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  expect(await faultsOf(page)).toEqual([]);
  expect((await view.getByLabel("Find by words").boundingBox())!.width).toBeGreaterThan(200);
  await depicted(page, "phone");
  await page.setViewportSize({ width: 1100, height: 800 });
  await view.getByRole("article", { name: /likes/ }).getByRole("link", { name: "the message" }).click();
  await page.locator(".message", { hasText: "My dog Rex and I moved to Lyon." }).waitFor();
  expect(page.url()).toContain(source.messageId);
  expect(complaints).toEqual([]);
}, 120_000);
