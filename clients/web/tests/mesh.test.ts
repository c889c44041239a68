// Two people in Chromium, at the edge of several servers on Postgres and Redis, one of which dies.

import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { depict, faultsOf, launch, listen } from "./browser";
import { PAGE, ask, newPerson } from "./world";

/** Other tests may keep the machine busy; a failure is told by what is not there, not by a clock. */
const LONGEST_MS = 90_000;
const LOOK_MS = 40;
const PHONE = { width: 390, height: 844 };
const WORDS = Array.from({ length: 150 }, (_, index) => `word${index}`).join(" ");
const COUNTED = Array.from({ length: 20 }, (_, index) => `${index + 1}`).join(" ");

let browser: Browser;
let anna: Page;
let ben: Page;
let benId = "";
const complaints: string[] = [];

beforeAll(async () => {
  browser = await launch();
  anna = await signedIn("Anna Berg", { viewport: { width: 1200, height: 800 } });
});
afterAll(() => browser?.close());
afterEach(async ({ task }) => {
  if (task.result?.state === "fail") {
    await depict(anna, `${task.name} anna`);
    if (ben) await depict(ben, `${task.name} ben`);
  }
  expect(complaints.splice(0)).toEqual([]);
});

async function opened(options: BrowserContextOptions): Promise<Page> {
  const context = await browser.newContext(options);
  context.setDefaultTimeout(LONGEST_MS / 2);
  const page = await context.newPage();
  listen(page, complaints);
  return page;
}

async function signedIn(displayName: string, options: BrowserContextOptions): Promise<Page> {
  const { name, password, userId } = await newPerson(displayName);
  benId = userId;
  const page = await opened(options);
  await page.goto(PAGE);
  await page.fill("[name=name]", name);
  await page.fill("[name=password]", password);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".composer textarea");
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.fill(".composer textarea", text);
  await page.keyboard.press("Enter");
}

/** The answer of that number, when it is complete. */
async function answer(page: Page, number: number): Promise<string> {
  const found = page.locator(".message.assistant:not(.under-way)").nth(number - 1);
  await found.locator(".facts").waitFor();
  return (await found.locator(".body").innerText()).trim();
}

async function widthOf(page: Page): Promise<number> {
  return Number(await page.evaluate("document.documentElement.scrollWidth"));
}

test("one asks and is answered", async () => {
  await say(anna, "Count");
  expect(await answer(anna, 1)).toBe(COUNTED);
}, LONGEST_MS);

test("one lets another in, and each sees who the other is", async () => {
  ben = await signedIn("Ben Okafor", { colorScheme: "dark", viewport: PHONE });
  await anna.getByRole("button", { name: "What to do with this conversation" }).click();
  await anna.getByRole("button", { name: "People" }).click();
  await anna.getByLabel("Their id").fill(benId);
  await anna.getByRole("button", { name: "Let in", exact: true }).click();
  await anna.getByRole("listitem").filter({ hasText: "Ben Okafor" }).waitFor();
  expect(await faultsOf(anna)).toEqual([]);
  await anna.keyboard.press("Escape");
  // It comes into the list by itself.
  await ben.getByRole("button", { name: "The list of conversations" }).click();
  await ben.getByRole("link", { name: "Count", exact: true }).click();
  await ben.locator(".who").getByText("Anna Berg").waitFor();
  await ben.locator(".composer textarea").pressSequentially("Is");
  await anna.getByText("Ben Okafor is typing").waitFor();
  await anna.getByRole("img", { name: "Here: Ben Okafor" }).waitFor();
  await say(ben, "Is anybody here?");
  expect(await answer(ben, 2)).toBe(COUNTED);
  await anna.locator(".who").getByText("Ben Okafor").waitFor();
  expect(await widthOf(ben)).toBe(PHONE.width);
  for (const page of [anna, ben]) expect(await faultsOf(page)).toEqual([]);
}, LONGEST_MS);

test("a server dies in mid-answer: each word is on each screen once", async () => {
  await anna.getByLabel("Who answers").selectOption("echo");
  await say(anna, WORDS);
  const pages = [anna, ben];
  for (const page of pages) await page.locator(".message.assistant .body").getByText("word9 ").last().waitFor();
  const wrong: string[] = [];
  let isOver = false;
  const look = async (page: Page) => {
    // At each moment what stands there is how the answer begins.
    const body = page.locator(".message.assistant").nth(2).locator(".body");
    while (!isOver) {
      const shown = (await body.innerText().catch(() => "")).trim();
      if (!WORDS.startsWith(shown)) wrong.push(shown);
      await page.waitForTimeout(LOOK_MS);
    }
  };
  const looking = pages.map(look);
  await ask("kill");
  const answers = await Promise.all(pages.map((page) => answer(page, 3)));
  isOver = true;
  await Promise.all(looking);
  expect(answers).toEqual([WORDS, WORDS]);
  expect(wrong).toEqual([]);
  for (const page of pages) {
    expect(await page.locator(".message").count()).toBe(6);
    await page.getByText("Connection lost").waitFor({ state: "detached" });
  }
  await ben.reload();
  expect(await answer(ben, 3)).toBe(WORDS);
}, LONGEST_MS);

test("all servers die: the pages say so, and what was said meanwhile is answered once", async () => {
  await ask("killAll");
  await say(anna, "And back");
  for (const page of [anna, ben]) await page.getByText("Connection lost").waitFor();
  expect(await faultsOf(anna)).toEqual([]);
  for (const page of [anna, ben]) {
    expect(await answer(page, 4)).toBe("And back");
    expect(await page.locator(".message").count()).toBe(8);
    await page.getByText("Connection lost").waitFor({ state: "detached" });
  }
}, LONGEST_MS);

test("the operator sees both servers again, also on a phone", async () => {
  await ask("whole");
  const page = await opened({ viewport: PHONE });
  await page.goto(`${PAGE}/#link=${await ask("link")}`);
  await page.waitForSelector(".composer textarea");
  await page.goto(`${PAGE}/operator.html#mesh`);
  const services = 6 * 2; // each on both servers
  await expect.poll(() => page.locator("tbody tr").count(), { timeout: LONGEST_MS / 2 }).toBe(services);
  expect(await page.getByText("serving", { exact: true }).count()).toBe(services);
  expect(await widthOf(page)).toBe(PHONE.width);
  expect(await faultsOf(page)).toEqual([]);
}, LONGEST_MS);
