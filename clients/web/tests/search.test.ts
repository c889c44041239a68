// Searching in Chromium: by keys, with filters, and the way to a message that was said long ago.

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Session } from "../src/antiphon";
import { depict, faultsOf, launch } from "./browser";
import { type Visit, visit } from "./visit";
import { PAGE, ask } from "./world";

const LONG = 300;
const SOON = { timeout: 20_000 };
const PHONE = { width: 390, height: 844 };
let browser: Browser;
let one: Visit;
let session: Session;
let harbour = "";
let long = "";

const text = (value: string) => ({ content: { case: "text" as const, value } });

async function conversation(title: string, ...said: string[]): Promise<string> {
  const { context } = session.stubs;
  const { conversation: made } = await context.createConversation({ title });
  const { conversationId } = made!;
  for (const each of said) await context.postMessage({ conversationId, parts: [text(each)] });
  return conversationId;
}

beforeAll(async () => {
  browser = await launch();
  one = await visit(browser);
  session = new Session({ baseUrl: PAGE }, "test");
  await session.logInByPassword(one.name, "a long way to the sea");
  harbour = await conversation(
    "The harbour",
    "👩‍🚀🚀 We meet at the lighthouse on Friday.",
    "<img src=x onerror=alert(1)> the lighthouse keeper's <b>keys</b>",
    "נפגשים ליד המגדלור, ליד lighthouse, ביום שישי",
    `${"Words that nobody looks for. ".repeat(200)} The lighthouse is at the end of them.`,
  );
  long = await conversation("A long one", "The password of the boathouse is under the third stone.");
  const { context } = session.stubs;
  const filler = Array.from({ length: LONG }, (_, at) => `Message ${at}: waves and wind.`);
  for (let at = 0; at < LONG; at += 20) {
    await Promise.all(filler.slice(at, at + 20).map((each) => context.postMessage({ conversationId: long, parts: [text(each)] })));
  }
}, 120_000);
afterAll(async () => {
  session?.follower.close();
  await browser?.close();
});
afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await depict(one.page, task.name);
  expect(one.complaints.splice(0)).toEqual([]);
});

const field = () => one.page.getByRole("combobox", { name: "What was said" });
const options = () => one.page.getByRole("listbox", { name: "What was found" }).getByRole("option");
const isSeen = (selector: string) =>
  one.page.locator(selector).evaluate((each) => {
    const [box, view] = [each.getBoundingClientRect(), document.querySelector(".scroll")!.getBoundingClientRect()];
    return box.top >= view.top && box.top < view.bottom;
  });

test("by keys: words are found as they are typed, the arrows choose, Enter leads to the message", async () => {
  const { page } = one;
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog", { name: "Search" }).waitFor();
  await page.keyboard.type("lighthouse");
  await expect.poll(() => options().count(), SOON).toBe(4);
  await page.getByRole("status").getByText("4 messages, the best first").waitFor();
  const marks = await page.locator(".excerpt mark").allInnerTexts();
  expect(marks.map((each) => each.toLowerCase())).toEqual(["lighthouse", "lighthouse", "lighthouse", "lighthouse"]);
  expect(await page.locator(".hits img, .hits b").count()).toBe(0);
  expect(await faultsOf(page)).toEqual([]);
  await depict(page, "search found");
  const chosen = () => page.locator(".hit[aria-selected=true]").innerText();
  const first = await chosen();
  await page.keyboard.press("ArrowDown");
  await expect.poll(chosen, SOON).not.toBe(first);
  await page.keyboard.press("ArrowUp");
  await expect.poll(chosen, SOON).toBe(first);
  expect(await field().getAttribute("aria-activedescendant")).toBe(await page.locator(".hit[aria-selected=true]").getAttribute("id"));
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "The harbour" }).waitFor();
  await page.locator(".message.sought").waitFor();
  expect(await page.getByRole("dialog").count()).toBe(0);
  expect(page.url()).toMatch(/#\/c\/conv_[\w-]+\/msg_[\w-]+$/);
  expect(await page.evaluate(() => document.activeElement?.classList.contains("message"))).toBe(true);
  expect(await faultsOf(page)).toEqual([]);
  await page.locator(".message.sought").waitFor({ state: "detached" });
});

test("what was said long before what is loaded is reached, shown in its place, and told", async () => {
  const { page } = one;
  await page.keyboard.press("Control+k");
  await page.keyboard.type("boathouse password stone");
  await options().first().getByText("third stone").waitFor();
  const begin = performance.now();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "A long one" }).waitFor();
  await page.locator(".message.sought").getByText("under the third stone").waitFor();
  console.log("reached after", Math.round(performance.now() - begin), "ms");
  expect(await isSeen(".message.sought")).toBe(true);
  await page.waitForTimeout(1_500);
  expect(await isSeen(".message[tabindex='-1']")).toBe(true);
  await depict(page, "search reached");
});

test("a link to a message can be opened by whoever may read it, and stays after a reload", async () => {
  const { page } = one;
  const address = page.url();
  await page.goto(`${PAGE}/#/`);
  await page.getByRole("heading", { name: "New conversation" }).waitFor();
  await page.goto(address);
  await page.locator(".message.sought").getByText("under the third stone").waitFor();
  await page.reload();
  await page.locator(".message.sought").getByText("under the third stone").waitFor();
  const link = page.locator(".message").first().getByRole("link", { name: /link to this message/ });
  expect(new URL((await link.getAttribute("href"))!, PAGE).href).toBe(address);
  const other = await visit(browser);
  await other.page.goto(address);
  await other.page.getByText("It does not exist, or you may not see it.").waitFor();
  await other.close();
});

test("a message that is not there says so, once all is read", async () => {
  await one.page.goto(`${PAGE}/#/c/${harbour}/msg_00000000000000000000`);
  await one.page.getByText("That message is not here any more, or never was.").waitFor();
  expect(await faultsOf(one.page)).toEqual([]);
});

test("filters: this conversation, who, since when; and back to everything", async () => {
  const { page } = one;
  await page.goto(`${PAGE}/#/c/${harbour}`);
  await page.getByRole("heading", { name: "The harbour" }).waitFor();
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog").getByLabel("Where").selectOption("this conversation");
  await field().fill("boathouse");
  await page.getByText("Nothing of that was found there.").waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await depict(page, "search nothing");
  await page.getByRole("button", { name: "Look everywhere" }).click();
  await expect.poll(() => options().count(), SOON).toBe(1);
  await page.getByRole("dialog").getByLabel("Who").selectOption("you");
  await page.getByRole("dialog").getByLabel("When").selectOption("in the last 7 days");
  await expect.poll(() => options().count(), SOON).toBe(1);
  await page.getByRole("dialog").getByLabel("When").selectOption("since a day …");
  const tomorrow = new Date(Date.now() + 2 * 86_400_000).toISOString().slice(0, 10);
  await page.getByLabel("Since", { exact: true }).fill(tomorrow);
  await page.getByText("Nothing of that was found there.").waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
});

test("why each was found is told to who wants to know", async () => {
  const { page } = one;
  await page.getByRole("button", { name: /Search messages/ }).click();
  await field().fill("boathouse");
  await options().first().waitFor();
  expect(await page.locator(".hit-why").count()).toBe(0);
  await page.getByLabel("why each was found").check();
  await page.locator(".hit-why").getByText("its words").waitFor();
  await depict(page, "search why");
  await page.keyboard.press("Escape");
});

test("a title that is typed can be looked for in messages instead", async () => {
  const { page } = one;
  await page.getByLabel("Find a conversation by its title").fill("lighthouse");
  await page.getByRole("button", { name: "In messages: lighthouse" }).click();
  await expect.poll(() => options().count(), SOON).toBe(4);
  await options().nth(1).click();
  await page.locator(".message.sought").waitFor();
  await page.getByLabel("Find a conversation by its title").fill("");
});

test("of a thousand hits the best are shown, and more of them on demand", async () => {
  const { page } = one;
  await page.keyboard.press("Control+k");
  await page.keyboard.type("waves and wind");
  await page.getByRole("status").getByText("The 20 that fit best").waitFor();
  await page.getByRole("button", { name: "More of them" }).click();
  await expect.poll(() => options().count(), SOON).toBe(100);
  await page.getByRole("status").getByText(/^The 100 that fit best; say more exactly/).waitFor();
  await field().focus();
  await page.keyboard.press("ArrowUp"); // from the first to the last
  await expect.poll(() => options().last().evaluate((each) => each.getBoundingClientRect().bottom < innerHeight), SOON).toBe(true);
  expect(await faultsOf(page)).toEqual([]);
  await page.keyboard.press("Escape");
});

test("an answer that another one stands in the place of is shown again", async () => {
  const { page } = one;
  await page.goto(`${PAGE}/#/`);
  await ask("answer", { deltas: 1, text: "The ferry leaves from the northern pier." });
  await one.say("Where from?");
  await one.answers(1);
  await ask("answer", { deltas: 1, text: "I do not know." });
  await page.getByRole("button", { name: "Ask again" }).click();
  await page.getByText("answer 2 of 2").waitFor();
  await page.keyboard.press("Control+k");
  await field().fill("northern pier ferry");
  await options().first().getByText("northern pier").waitFor();
  await options().first().click();
  await page.getByText("answer 1 of 2").waitFor();
  await page.locator(".message.sought").getByText("northern pier").waitFor();
});

test("of a long message that part is shown which has the words, and they are marked", async () => {
  const { page } = one;
  await page.keyboard.press("Control+k");
  await field().fill("the end of them lighthouse");
  await options().getByText("is at the end of them").click();
  await page.locator(".message.sought").waitFor();
  await page.waitForTimeout(300);
  const seen = await page.evaluate(() => {
    const view = document.querySelector(".scroll")!.getBoundingClientRect();
    const ranges = [...(CSS.highlights.get("sought") ?? [])] as Range[];
    const words = ranges.filter((each) => each.getBoundingClientRect().top > view.top && each.getBoundingClientRect().bottom < view.bottom);
    return words.map(String);
  });
  expect(seen).toContain("lighthouse");
  await depict(page, "search in a long one");
  await expect.poll(() => page.evaluate(() => CSS.highlights.has("sought")), SOON).toBe(false);
});

test("a server that is away is told, and asked again by itself", async () => {
  const { page } = one;
  await page.keyboard.press("Control+k");
  await ask("kill");
  await page.keyboard.type("boathouse");
  await page.getByRole("dialog").getByRole("alert").getByText(/The server can't be reached/).waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await depict(page, "search away");
  await ask("start");
  await options().first().getByText("third stone").waitFor();
  expect(await page.getByRole("dialog").getByRole("alert").count()).toBe(0);
  await page.keyboard.press("Escape");
});

test("a phone's width has room for all of it, in the dark, too", async () => {
  const { page } = one;
  await page.setViewportSize(PHONE);
  await page.getByRole("button", { name: "The list of conversations" }).click();
  await page.getByRole("button", { name: /Search messages/ }).click();
  await field().fill("lighthouse");
  await expect.poll(() => options().count(), SOON).toBe(4);
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  expect(await faultsOf(page)).toEqual([]);
  await page.emulateMedia({ colorScheme: "dark" });
  await depict(page, "search narrow");
  await page.emulateMedia({ colorScheme: "light" });
  await options().first().click();
  await page.locator(".message.sought").waitFor();
  await depict(page, "search narrow reached");
  await page.setViewportSize({ width: 1200, height: 800 });
});
