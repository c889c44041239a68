// What a browser keeps over a reload and a closed tab, in Chromium: what no server took, and for whom.

import type { Browser, Page, Route } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { launch } from "./browser";
import { Role } from "../src/gen/antiphon/auth/v1/access_pb";
import { type Visit, visit } from "./visit";
import { PAGE, newPerson, newSession } from "./world";

const DISPATCH = "**/antiphon.dispatcher.v1.DispatcherService/Dispatch";
const POST = "**/antiphon.context.v1.ContextService/PostMessage";
const FOLLOW = "**/antiphon.events.v1.EventService/Follow";
const PASSWORD = "a long way to the sea";
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const held = (page: Page) => page.getByText("will be sent when connected");
const questions = (page: Page) => page.locator(".message.user .body").allInnerTexts();
const kept = (page: Page) => page.evaluate(() => JSON.stringify({ ...localStorage }));
const lose = async (route: Route) => {
  await route.fetch(); // the server takes it
  await route.abort();
};

/** Sign in where nobody is. */
async function signIn(page: Page, name: string): Promise<void> {
  await page.fill("[name=name]", name);
  await page.fill("[name=password]", PASSWORD);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".composer textarea");
}

/** Somebody who has said "Hello", and been answered. */
async function begun(): Promise<Visit> {
  const one = await visit(browser);
  await one.say("Hello");
  await one.answers(1);
  return one;
}

test("what no server took outlives a reload, in its order, and is sent once", async () => {
  const one = await begun();
  await one.page.route(DISPATCH, (route) => route.abort());
  await one.say("And this");
  await held(one.page).waitFor();
  await one.say("And that");
  await held(one.page).nth(1).waitFor();
  await one.page.reload();
  await held(one.page).nth(1).waitFor();
  await one.answers(1);
  expect(await questions(one.page)).toEqual(["Hello", "And this", "And that"]);
  await one.page.unroute(DISPATCH);
  await one.page.evaluate(() => dispatchEvent(new Event("online")));
  await one.answers(3);
  expect(await questions(one.page)).toEqual(["Hello", "And this", "And that"]);
  await one.page.reload();
  await one.answers(3);
  expect(await questions(one.page)).toEqual(["Hello", "And this", "And that"]);
  expect(await kept(one.page)).not.toContain("And this");
  await one.close();
});

test("a closed tab keeps what was typed, and what no server took", async () => {
  const one = await begun();
  await one.page.route(DISPATCH, (route) => route.abort());
  await one.say("And this");
  await held(one.page).waitFor();
  await one.page.fill(".composer textarea", "half a thought");
  await expect.poll(() => kept(one.page)).toContain("half a thought");
  const next = await one.page.context().newPage();
  const place = one.page.url();
  await one.page.close();
  await next.goto(place);
  await signIn(next, one.name);
  await expect.poll(() => next.inputValue(".composer textarea")).toBe("half a thought");
  await next.locator(".message.assistant .body").nth(1).waitFor();
  expect(await questions(next)).toEqual(["Hello", "And this"]);
  await expect.poll(() => kept(next)).not.toContain("And this");
  await one.close();
});

test("what a server took whose answer was lost is not sent as something new", async () => {
  const one = await begun();
  // Nothing tells of it: no call's answer, and no stream.
  await one.page.route(FOLLOW, (route) => route.abort());
  await one.page.reload();
  await one.answers(1);
  await one.page.route(DISPATCH, lose);
  await one.page.route(POST, lose);
  await one.say("Twice?");
  await held(one.page).waitFor();
  await one.page.getByLabel("Who answers").selectOption("nobody");
  await one.say("Among ourselves");
  await held(one.page).nth(1).waitFor();
  const sent: string[] = [];
  one.page.on("request", (request) => sent.push(request.url().split("/").at(-1)!));
  for (const name of [DISPATCH, POST, FOLLOW]) await one.page.unroute(name);
  await one.page.goto(`${PAGE}/#/`); // and one is elsewhere when it is sent again
  await one.page.reload();
  await expect.poll(() => sent, { timeout: 20_000 }).toContain("PostMessage");
  await expect.poll(() => kept(one.page)).not.toContain("Among ourselves");
  await one.page.getByRole("link", { name: "Hello" }).click();
  await one.answers(2);
  expect((await questions(one.page)).sort()).toEqual(["Among ourselves", "Hello", "Twice?"]);
  await one.close();
});

test("what a server refused is still there after a reload, and is not sent by itself", async () => {
  const one = await begun();
  await one.page.getByLabel("Who answers").selectOption("echo");
  const headers = { "content-type": "application/grpc-web+proto", "grpc-status": "9", "grpc-message": "no" };
  await one.page.route(DISPATCH, (route) => route.fulfill({ status: 200, headers }));
  await one.say("Refused");
  await one.page.getByRole("button", { name: "Send again" }).waitFor();
  await one.page.unroute(DISPATCH);
  await one.page.reload();
  await one.page.getByText("It was not sent.").waitFor();
  await one.page.waitForTimeout(3_000);
  expect(await one.page.locator(".message.assistant").count()).toBe(1);
  await one.page.getByRole("button", { name: "Send again" }).click();
  await one.page.locator(".message.assistant .body").getByText("Refused").waitFor();
  await one.close();
});

test("what is said is forgotten when one signs out, and is nobody else's", async () => {
  const one = await begun();
  await one.page.route(DISPATCH, (route) => route.abort());
  await one.say("A secret");
  await held(one.page).waitFor();
  await one.page.fill(".composer textarea", "half a secret");
  await expect.poll(() => kept(one.page)).toMatch(/A secret.*half a secret|half a secret.*A secret/);
  const other = await one.page.context().newPage();
  await other.goto(`${PAGE}/#/`);
  await other.waitForSelector(".composer textarea");
  await other.fill(".composer textarea", "secret of the other tab");
  await one.page.getByRole("button", { name: /^Account of/ }).click();
  await one.page.getByRole("button", { name: "Sign out" }).click();
  for (const page of [one.page, other]) {
    await page.waitForSelector("[name=password]");
    expect(await kept(page)).not.toContain("secret");
  }
  await other.close();
  await one.close();
});

test("what was typed by somebody whose session has ended is shown to nobody else", async () => {
  const one = await begun();
  const next = await newPerson();
  await one.page.fill(".composer textarea", "A secret");
  await expect.poll(() => kept(one.page)).toContain("A secret");
  for (const name of [next.name, one.name]) {
    await one.page.evaluate(() => {
      const session = JSON.parse(sessionStorage.getItem("antiphon.session")!);
      sessionStorage.setItem("antiphon.session", JSON.stringify({ ...session, refreshToken: "antr_ended" }));
    });
    await one.page.reload();
    await signIn(one.page, name);
    const mine = name === one.name ? "A secret" : "";
    await expect.poll(() => one.page.inputValue(".composer textarea")).toBe(mine);
  }
  await one.close();
});

test("who joins is called by their name at once, and nobody asks for a list", async () => {
  const one = await begun();
  const [, resource = ""] = /#\/c\/(.*)$/.exec(one.page.url())!;
  const owner = await newSession();
  await owner.logInByPassword(one.name, PASSWORD);
  await one.page.waitForTimeout(500);
  const asked: string[] = [];
  one.page.on("request", (request) => asked.push(request.url().split("/").at(-1)!));
  const { name, userId } = await newPerson("Ada Lovelace");
  await owner.stubs.context.addMember({ resource, userId, role: Role.MEMBER });
  const theirs = await newSession();
  await theirs.logInByPassword(name, PASSWORD);
  await theirs.stubs.context.postMessage({ conversationId: resource, parts: [{ content: { case: "text", value: "Good day" } }] });
  await one.page.getByText("Good day").waitFor();
  await one.page.getByRole("heading", { name: "Ada Lovelace" }).waitFor();
  expect(asked).not.toContain("ListMembers");
  for (const session of [owner, theirs]) session.follower.close();
  await one.close();
});
