// Networks that come and go, in Chromium: what is sent meanwhile, and what is said about it.

import type { Browser } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { faultsOf, launch } from "./browser";
import { visit } from "./visit";
import { PAGE, Proxy, ask } from "./world";

let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const DISPATCH = "**/antiphon.dispatcher.v1.DispatcherService/Dispatch";

test("what no server took is sent by itself, though the stream never broke", async () => {
  const one = await visit(browser);
  await one.page.route(DISPATCH, (route) => route.abort());
  await one.say("Hello");
  await one.page.getByText("will be sent when connected").waitFor();
  expect(await one.page.locator("[role=alert]").count()).toBe(0);
  await one.page.unroute(DISPATCH);
  await one.answers(1); // by a timer
  await one.page.route(DISPATCH, (route) => route.abort());
  await one.say("And again");
  await one.page.getByText("will be sent when connected").waitFor();
  await one.page.unroute(DISPATCH);
  await one.page.evaluate(() => dispatchEvent(new Event("online")));
  await one.answers(2);
  expect(await one.page.getByText("will be sent when connected").count()).toBe(0);
  await one.close();
});

test("what no server took is sent also where one has left its conversation", async () => {
  const one = await visit(browser);
  await one.say("Hello");
  await one.answers(1);
  await one.page.route(DISPATCH, (route) => route.abort());
  await one.say("And this");
  await one.page.getByText("will be sent when connected").waitFor();
  await one.page.getByRole("button", { name: "New conversation" }).first().click();
  await one.page.getByRole("heading", { name: "New conversation" }).waitFor();
  const taken = one.page.waitForResponse(DISPATCH);
  await one.page.unroute(DISPATCH);
  await one.page.evaluate(() => dispatchEvent(new Event("online")));
  await taken;
  await one.page.getByRole("link", { name: "Hello" }).click();
  await one.answers(2);
  expect(await one.page.locator(".message.user .body").allInnerTexts()).toEqual(["Hello", "And this"]);
  await one.close();
});

test("a network that is silent is told within seconds to whoever waits, and left for another", async () => {
  const proxy = await new Proxy().start();
  const one = await visit(browser, {}, proxy.url);
  await one.say("Hello");
  await one.answers(1);
  proxy.silence();
  const began = Date.now();
  await one.say("Anybody there?");
  await one.page.getByText("Connection lost").waitFor({ timeout: 15_000 });
  expect(Date.now() - began).toBeLessThan(13_000);
  proxy.speak();
  await one.answers(2);
  await one.page.getByText("Connection lost").waitFor({ state: "detached" });
  expect(await one.page.locator(".message.user").count()).toBe(2);
  await one.close();
  proxy.stop();
});

test("a server that stands still in mid-answer is told of soon, and its answer goes on", async () => {
  const one = await visit(browser);
  await ask("answer", { deltas: 200, gap_ms: 20 });
  await one.say("Tell me");
  await one.page.locator(".under-way .body").waitFor();
  await ask("pause");
  try {
    const stopped = Date.now();
    await one.page.getByText("Connection lost").waitFor({ timeout: 15_000 });
    expect(Date.now() - stopped).toBeLessThan(13_000);
  } finally {
    await ask("go_on");
  }
  await one.answers(1);
  expect((await one.page.locator(".message.assistant .body").innerText()).trim()).toBe("word ".repeat(200).trim());
  await one.page.getByText("Connection lost").waitFor({ state: "detached" });
  await one.close();
});

test("a sign-in link that is pasted into a tab signs it in", async () => {
  const context = await browser.newContext();
  const page = await context.newPage();
  await page.goto(PAGE);
  await page.waitForSelector("[name=password]");
  const link = `#link=${await ask("link")}`;
  await page.evaluate((hash) => (location.hash = hash), link);
  await page.waitForSelector(".composer textarea");
  expect(page.url()).toBe(`${PAGE}/`);
  await context.close();
});

test("what operators tell everybody stands above, until it is put away or over", async () => {
  const one = await visit(browser);
  const bar = one.page.locator(".announcements");
  const first = await ask("notice", "The server restarts at noon.");
  await bar.getByText("The server restarts at noon.").waitFor();
  expect(await faultsOf(one.page)).toEqual([]);
  await one.page.reload();
  await bar.getByText("The server restarts at noon.").waitFor();
  await ask("withdraw", first);
  await bar.getByText("The server restarts at noon.").waitFor({ state: "detached" });
  const second = await ask("notice", "<b>Back</b> again.");
  await bar.getByText("<b>Back</b> again.").waitFor();
  await bar.getByRole("button", { name: "Put this notice away" }).click();
  await one.page.reload();
  await one.page.waitForSelector(".composer textarea");
  await one.page.waitForTimeout(1_000); // the list of notices has been read
  expect(await bar.locator("p").count()).toBe(0);
  await ask("withdraw", second);
  // What is withdrawn while the list is read is not shown, though the list still has it.
  const third = await ask("notice", "This comes too late.");
  await bar.getByText("This comes too late.").waitFor();
  let isRead = false;
  await one.page.route("**/antiphon.context.v1.NoticeService/ListNotices", async (route) => {
    const response = await route.fetch();
    await ask("withdraw", third);
    await one.page.waitForTimeout(1_000); // the word of it has come
    await route.fulfill({ response });
    isRead = true;
  });
  await one.page.reload();
  await expect.poll(() => isRead, { timeout: 20_000 }).toBe(true);
  await one.page.waitForTimeout(300);
  expect(await bar.locator("p").count()).toBe(0);
  await one.close();
});
