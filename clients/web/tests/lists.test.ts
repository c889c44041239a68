// Lists of conversations in Chromium: by activity, searched, archived, as a drawer; and who answers in each.

import { create } from "@bufbuild/protobuf";
import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { Session, newTurnId } from "../src/antiphon";
import { PartSchema } from "../src/gen/antiphon/context/v1/message_pb";
import { Listing } from "../src/page/listing";
import { depict, faultsOf, launch } from "./browser";
import { type Visit, visit } from "./visit";
import { PAGE, until } from "./world";

const COUNT = 60;
const PHONE = { width: 390, height: 844 };
const WISHES = { handler: "echo", model: "" };
let browser: Browser;
let one: Visit;
let session: Session;
const ids: string[] = [];

beforeAll(async () => {
  browser = await launch();
  one = await visit(browser);
  session = new Session({ baseUrl: PAGE }, "test");
  await session.logInByPassword(one.name, "a long way to the sea");
  for (let count = 0; count < COUNT; count += 1) {
    const title = `Conversation number ${count}`;
    const { conversation } = await session.stubs.context.createConversation({ title });
    ids.push(conversation!.conversationId);
  }
});
afterAll(async () => {
  session?.follower.close();
  await browser?.close();
});
afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await depict(one.page, task.name);
  expect(one.complaints.splice(0)).toEqual([]);
});

const titles = () => one.page.locator(".list a").allInnerTexts();

test("what is made and renamed elsewhere comes into the list by itself", async () => {
  const first = async () => (await titles())[0];
  await expect.poll(first, { timeout: 10_000 }).toBe(`Conversation number ${COUNT - 1}`);
  const conversation = { conversationId: ids[COUNT - 1]!, title: "Renamed" };
  await session.stubs.context.updateConversation({ conversation, updateMask: { paths: ["title"] } });
  await expect.poll(first, { timeout: 10_000 }).toBe("Renamed");
  await session.stubs.context.archiveConversation(conversation);
  await expect.poll(first, { timeout: 10_000 }).toBe(`Conversation number ${COUNT - 2}`);
  await session.stubs.context.unarchiveConversation(conversation);
  await session.stubs.context.updateConversation({
    conversation: { ...conversation, title: `Conversation number ${COUNT - 1}` },
    updateMask: { paths: ["title"] },
  });
  await expect.poll(first, { timeout: 10_000 }).toBe(`Conversation number ${COUNT - 1}`);
});

test("the conversation in which something was said last is the first of the list", async () => {
  await one.page.reload();
  await expect.poll(async () => (await titles())[0], { timeout: 10_000 }).toBe(`Conversation number ${COUNT - 1}`);
  await one.page.getByRole("link", { name: "Conversation number 40" }).click();
  await one.page.getByRole("heading", { name: "Conversation number 40" }).waitFor();
  await one.say("Hello");
  await one.answers(1);
  await expect.poll(async () => (await titles())[0]).toBe("Conversation number 40");
  await one.page.waitForTimeout(3_000); // the server notes it some seconds later
  await one.page.reload();
  await expect.poll(async () => (await titles())[0], { timeout: 10_000 }).toBe("Conversation number 40");
});

test("what one begins is seen at the list's top, and the archive is near, however long the list is", async () => {
  await one.page.goto(`${PAGE}/#/c/${ids[32]}`);
  await one.page.reload();
  await one.page.getByRole("heading", { name: "Conversation number 32" }).waitFor();
  await one.page.locator(".list a").nth(29).waitFor();
  const list = one.page.locator(".list");
  expect(await list.evaluate((each) => each.scrollTop)).toBe(0);
  await list.evaluate((each) => each.scrollTo({ top: each.scrollHeight }));
  expect(await one.page.getByRole("button", { name: "Archive", exact: true }).evaluate((each) => each.getBoundingClientRect().bottom)).toBeLessThan(800);
  await one.page.getByRole("button", { name: "New conversation" }).first().click();
  await one.page.getByRole("heading", { name: "New conversation" }).waitFor();
  await one.say("A question at the top");
  const link = one.page.getByRole("link", { name: "A question at the top" });
  await link.waitFor();
  await expect.poll(() => list.evaluate((each) => each.scrollTop)).toBe(0);
  await depict(one.page, "the top of a long list");
});

test("a file that is pasted or dropped is refused aloud, and takes nothing away", async () => {
  const { page } = one;
  await page.fill(".composer textarea", "What is it?");
  const bring = (type: "drop" | "paste", also = "") =>
    page.evaluate(
      ([name, text]) => {
        const data = new DataTransfer();
        data.items.add(new File(["x"], "cat.png", { type: "image/png" }));
        if (text) data.setData("text/plain", text);
        const [inDrop, inPaste] = [{ dataTransfer: data }, { clipboardData: data }];
        const rest = { bubbles: true, cancelable: true };
        const event = name === "drop" ? new DragEvent("drop", { ...inDrop, ...rest }) : new ClipboardEvent("paste", { ...inPaste, ...rest });
        document.querySelector("textarea")!.dispatchEvent(event);
        return event.defaultPrevented;
      },
      [type, also] as const,
    );
  const refusal = page.getByRole("alert").getByText("files can't be sent from here");
  await bring("paste", "words that have a picture too");
  expect(await refusal.count()).toBe(0);
  await bring("paste");
  await refusal.waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await depict(page, "no files");
  await page.reload();
  await page.locator(".composer textarea").waitFor();
  expect(await bring("drop")).toBe(true); // else the browser would show the file in the page's place
  await refusal.waitFor();
  expect(await page.inputValue(".composer textarea")).toBe("What is it?");
  await page.fill(".composer textarea", "");
});

test("all titles are searched, not only those that are loaded", async () => {
  await one.page.reload();
  await one.page.locator(".list a").nth(20).waitFor();
  expect((await titles()).length).toBeLessThan(COUNT);
  await one.page.getByLabel("Find a conversation by its title").fill("NUMBER 3");
  await one.page.getByRole("heading", { name: "Found" }).waitFor();
  await expect.poll(async () => (await titles()).length).toBe(11); // 3, and 30 to 39
  expect(await faultsOf(one.page)).toEqual([]);
  await one.page.getByLabel("Find a conversation by its title").fill("nothing like it");
  await one.page.getByText("No title has that in it.").waitFor();
  await one.page.getByLabel("Find a conversation by its title").fill("");
});

test("erasing asks before, and leaves nothing of what was said", async () => {
  const { conversation } = await session.stubs.context.createConversation({ title: "A secret" });
  const { conversationId } = conversation!;
  const said = { content: { case: "text" as const, value: "The cup is under the stairs." } };
  await session.stubs.context.postMessage({ conversationId, parts: [said] });
  await one.page.goto(`${PAGE}/#/c/${conversationId}`);
  await one.page.locator(".message", { hasText: "under the stairs" }).waitFor();
  const erase = async () => {
    await one.page.getByRole("button", { name: "What to do with this conversation" }).click();
    await one.page.locator(".menu-list").getByRole("button", { name: "Erase" }).click();
    await one.page.getByRole("dialog").waitFor();
  };
  await erase();
  expect(await faultsOf(one.page)).toEqual([]);
  await one.page.getByRole("button", { name: "Cancel" }).click();
  await erase();
  await one.page.getByRole("button", { name: "Erase it" }).click();
  await one.page.getByText("All that was said here was erased").waitFor();
  await one.page.getByText("erased: what was said here is gone").waitFor();
  await one.page.reload();
  await one.page.getByText("All that was said here was erased").waitFor();
  expect(await one.page.getByText("under the stairs").count()).toBe(0);
  expect(await faultsOf(one.page)).toEqual([]);
});

test("archiving asks before, and the archive gives back", async () => {
  await one.page.goto(`${PAGE}/#/c/${ids[59]}`);
  await one.page.getByRole("heading", { name: "Conversation number 59" }).waitFor();
  const archive = async () => {
    await one.page.getByRole("button", { name: "What to do with this conversation" }).click();
    await one.page.locator(".menu-list").getByRole("button", { name: "Archive" }).click();
    await one.page.getByRole("dialog").waitFor();
  };
  await archive();
  expect(await faultsOf(one.page)).toEqual([]);
  await one.page.getByRole("button", { name: "Cancel" }).click();
  await one.page.getByLabel("Message").waitFor();
  await archive();
  await one.page.getByRole("dialog").getByRole("button", { name: "Archive" }).click();
  await one.page.getByRole("heading", { name: "New conversation" }).waitFor();
  await expect.poll(async () => (await titles()).includes("Conversation number 59")).toBe(false);
  await one.page.locator(".sidebar").getByRole("button", { name: "Archive" }).click();
  await one.page.getByRole("link", { name: "Conversation number 59" }).click();
  await one.page.getByText("This conversation is archived.").waitFor();
  expect(await faultsOf(one.page)).toEqual([]);
  await one.page.getByRole("button", { name: "Use it again" }).click();
  await one.page.getByLabel("Message").waitFor();
  await one.page.getByRole("button", { name: "Back to those in use" }).click();
  await one.page.getByRole("link", { name: "Conversation number 59" }).waitFor();
});

test("who answers is chosen for one conversation, and the page says who", async () => {
  await one.page.goto(`${PAGE}/#/`);
  await one.page.getByText("fake/model will answer.").waitFor();
  await one.page.getByLabel("Who answers").selectOption("echo");
  await one.page.getByText("echo will answer.").waitFor();
  expect(await one.page.getByLabel("Model", { exact: true }).count()).toBe(0);
  await one.say("Say this");
  await one.page.locator(".message.assistant .body").getByText("Say this").waitFor();
  await one.answers(1);
  const chosen = () => one.page.getByLabel("Who answers").inputValue();
  expect(await chosen()).toBe("echo");
  await one.page.goto(`${PAGE}/#/c/${ids[3]}`);
  await one.page.getByRole("heading", { name: "Conversation number 3", exact: true }).waitFor();
  expect(await chosen()).toBe("");
  await one.page.goBack();
  await one.page.getByRole("heading", { name: "Say this" }).waitFor();
  await expect.poll(chosen).toBe("echo");
});

test("a good answer can be asked for again, in its place, also by those who look on", async () => {
  await one.say("And this");
  await one.answers(2);
  const first = one.page.locator(".message.assistant").first();
  await first.getByRole("button", { name: "Ask again" }).click();
  await one.page.getByText("answer 2 of 2").waitFor();
  const bodies = () => one.page.locator(".message .body").allInnerTexts();
  await expect.poll(bodies).toEqual(["Say this", "Say this", "And this", "And this"]);
  expect(await faultsOf(one.page)).toEqual([]);
  await one.page.getByRole("button", { name: "The answer before" }).click();
  await one.page.getByText("answer 1 of 2").waitFor();
  await one.page.reload();
  await one.page.getByText("answer 2 of 2").waitFor();
  expect(await bodies()).toEqual(["Say this", "Say this", "And this", "And this"]);
});

test("where several ask, each answer says whose question it is for", async () => {
  const other = await visit(browser);
  const conversationId = ids[7]!;
  await session.stubs.context.addMember({ resource: conversationId, userId: other.userId, role: 2 });
  const thread = session.thread(conversationId);
  await thread.start();
  await thread.ask("What is the first?", WISHES);
  await until(() => thread.messages.length === 2);
  await other.page.goto(`${PAGE}/#/c/${conversationId}`);
  await other.answers(1);
  expect(await other.page.locator(".reply-to").count()).toBe(0);
  await other.say("And what the second?");
  await other.answers(2);
  const told = other.page.locator(".reply-to");
  await expect.poll(() => told.allInnerTexts()).toHaveLength(2);
  expect((await told.allInnerTexts()).join(" ")).toMatch(/What is the first\?[^]*You[^]*And what the second\?/);
  await told.first().click();
  expect(await faultsOf(other.page)).toEqual([]);
  await depict(other.page, "two people");
  await other.close();
});

test("asking again asks whom one has chosen since", async () => {
  const fresh = await visit(browser);
  await fresh.say("Who is it?");
  await fresh.answers(1);
  await fresh.page.getByLabel("Who answers").selectOption("echo");
  await fresh.page.locator(".message.assistant").getByRole("button", { name: "Ask again" }).click();
  await fresh.page.getByText("answer 2 of 2").waitFor();
  await expect.poll(() => fresh.page.locator(".message.assistant .body").allInnerTexts()).toEqual(["Who is it?"]);
  await fresh.close();
});

test("what events tell while a list is read is newer than what was read", async () => {
  const { context } = session.stubs;
  let meanwhile = () => {};
  // The real call, whose answer comes late.
  const late: typeof context.listConversations = async (...given) => {
    const page = await context.listConversations(...given);
    meanwhile();
    return page;
  };
  const listing = new Listing({ ...context, listConversations: late });
  await listing.refresh();
  const [first, second] = listing.conversations;
  const made = { ...first!, conversationId: "conv_made_meanwhile", title: "Made meanwhile" };
  meanwhile = () => {
    listing.remove(first!.conversationId);
    listing.put({ ...second!, title: "Renamed meanwhile" });
    listing.put(made);
  };
  await listing.refresh();
  expect(listing.find(first!.conversationId)).toBeUndefined();
  expect(listing.find(second!.conversationId)?.title).toBe("Renamed meanwhile");
  expect(listing.conversations[0]?.title).toBe("Made meanwhile");
});

test("an answer says that its model was told of a picture in words alone", async () => {
  const conversationId = ids[9]!;
  const image = { uri: "https://pictures.example/cat.png", mediaType: "image/png" };
  const parts = [create(PartSchema, { content: { case: "image", value: image } })];
  await session.stubs.dispatcher.dispatch({ conversationId, turnId: newTurnId(), handler: "echo", parts });
  await one.page.goto(`${PAGE}/#/c/${conversationId}`);
  await one.page.getByText("image: https://pictures.example/cat.png").first().waitFor();
  await one.say("What does it show?");
  await one.page.getByText("1 attachment described to the model in words").waitFor();
  expect(await faultsOf(one.page)).toEqual([]);
});

test("a narrow window's list is a drawer: Escape closes it, focus stays in it and comes back", async () => {
  const { page } = one;
  await page.setViewportSize(PHONE);
  await page.goto(`${PAGE}/#/c/${ids[3]}`);
  await page.getByRole("heading", { name: "Conversation number 3", exact: true }).waitFor();
  const open = page.getByRole("button", { name: "The list of conversations" });
  await open.click();
  await page.locator(".list-open").waitFor();
  const isInside = () => page.evaluate(() => !!document.activeElement?.closest(".sidebar") || document.activeElement === document.body);
  await expect.poll(() => page.evaluate(() => !!document.activeElement?.closest(".sidebar"))).toBe(true);
  for (let count = 0; count < 70; count += 1) {
    await page.keyboard.press(count < 4 ? "Shift+Tab" : "Tab");
    expect(await isInside()).toBe(true);
  }
  expect(await faultsOf(page)).toEqual([]);
  await page.keyboard.press("Escape");
  await page.locator(".app:not(.list-open)").waitFor();
  await expect.poll(() => open.evaluate((each) => each === document.activeElement)).toBe(true);
  await page.setViewportSize({ width: 1200, height: 800 });
});
