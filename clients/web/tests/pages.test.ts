// The pages in Chromium, through Envoy.

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { depict, faultsOf, launch, listen } from "./browser";
import { Role } from "../src/gen/antiphon/auth/v1/access_pb";
import { PAGE, ask, newPerson, newSession, until } from "./world";

let browser: Browser;
let context: BrowserContext;
let page: Page;
const complaints: string[] = [];

beforeAll(async () => {
  browser = await launch();
  await open();
});
afterAll(() => browser?.close());
afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await depict(page, task.name);
  expect(complaints.splice(0)).toEqual([]);
});

/** A browser of its own; what it complains about is a failure. */
async function open(): Promise<void> {
  context = await browser.newContext({ colorScheme: "light", viewport: { width: 1200, height: 800 } });
  context.setDefaultTimeout(50_000);
  page = await context.newPage();
  listen(page, complaints);
}

async function signIn(): Promise<string> {
  const { name, password } = await newPerson();
  await page.goto(PAGE);
  await page.fill("[name=name]", name);
  await page.fill("[name=password]", password);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".composer textarea");
  return name;
}

async function say(text: string): Promise<void> {
  await page.fill(".composer textarea", text);
  await page.keyboard.press("Enter");
}

/** Type into whatever has the focus: it is where one writes. */
async function typed(text: string): Promise<void> {
  await page.locator(".composer textarea:focus").waitFor();
  await page.keyboard.type(text);
  expect(await page.locator(".composer textarea").inputValue()).toBe(text);
}

/** The last answer, when it is complete. */
async function answer(count: number): Promise<string> {
  const last = page.locator(".message.assistant:not(.under-way)").nth(count - 1);
  await last.locator(".facts").waitFor();
  return (await last.locator(".body").innerText()).trim();
}

const faults = () => faultsOf(page);

test("the first page is for everybody, and says what is wrong", async () => {
  await page.goto(PAGE);
  await page.fill("[name=name]", "nobody");
  expect(await faults()).toEqual([]);
  await page.fill("[name=password]", "not a password");
  await page.keyboard.press("Enter");
  expect(await page.locator("[role=alert]").innerText()).toBe("The name or the password is wrong.");
});

test("one signs in, asks, and is answered, with what it cost", async () => {
  const name = await signIn();
  expect(await page.locator("h2").first().innerText()).toMatch(new RegExp(name, "i"));
  expect(await faults()).toEqual([]);
  await typed("How are you?");
  await page.keyboard.press("Enter");
  expect(await answer(1)).toBe("word ".repeat(20).trim());
  expect(await page.getByText("31 tokens").isVisible()).toBe(false);
  await page.getByRole("button", { name: "Details" }).click();
  const facts = await page.locator(".message.assistant .fact-line").innerText();
  expect(facts.replaceAll("\n", " ")).toMatch(/fake\/model.*31 tokens · \$0\.00001 .* s$/);
  expect(await page.locator(".list a[aria-current=page]").innerText()).toBe("How are you?");
  expect(await faults()).toEqual([]);
});

test("what fails says what to do, and can be asked again", async () => {
  await ask("answer", { mode: "400" });
  await say("What is this?");
  await page.getByText("provider refused the request").waitFor();
  await page.getByRole("button", { name: "Ask again" }).last().click();
  expect(await answer(2)).toBe("word ".repeat(20).trim());
});

test("stop means stop", async () => {
  await ask("answer", { deltas: 500, gap_ms: 10 });
  await say("Go on");
  await page.locator(".under-way .body").waitFor();
  await page.getByRole("button", { name: "Stop the answer" }).click();
  const said = await answer(3);
  expect(said.split(" ").length).toBeLessThan(500);
  const ending = page.locator(".message.assistant .ending");
  expect(await ending.innerText()).toBe("stopped");
  expect(await ending.evaluate((each) => getComputedStyle(each).color)).toBe(
    await ending.evaluate((each) => getComputedStyle(each.parentElement!).color),
  );
  await page.getByRole("button", { name: "Details" }).last().click();
  await page.locator(".message.assistant .fact-line").nth(2).getByText(/^about \d+ tokens/).waitFor();
  await page.reload();
  expect(await answer(3)).toBe(said);
});

test("a reload in the middle shows the answer from its first word", async () => {
  await ask("answer", { deltas: 300, gap_ms: 15 });
  await say("Tell me");
  await page.locator(".under-way .body").waitFor();
  await page.reload();
  await page.locator(".under-way .body").waitFor();
  expect(await answer(4)).toBe("word ".repeat(300).trim());
});

test("a server that is killed is waited for, and nothing is lost", async () => {
  await ask("answer", { deltas: 100, gap_ms: 12 });
  await say("Tell me more");
  await page.locator(".under-way .body").waitFor();
  await ask("kill");
  await page.getByText("Connection lost").waitFor();
  const seen = (await page.locator(".under-way .body").innerText()).trim();
  await ask("start");
  expect((await answer(5)).startsWith(seen)).toBe(true);
  await page.getByText("Connection lost").waitFor({ state: "detached" });
});

test("what was said runs nothing and loads nothing", async () => {
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(PAGE)) elsewhere.push(request.url());
  });
  const hostile = [
    "<img src=x onerror=\"document.title='taken'\">",
    "[a](javascript:document.title='taken') ![b](https://example.com/b.png)",
    "<script>document.title='taken'</script> **bold**",
  ];
  await ask("answer", { deltas: 1, text: `${hostile.join("\n\n")}\n\n` });
  await say("Go on");
  const said = await answer(6);
  expect(said).toContain("<img src=x");
  expect(said).toContain("<script>");
  expect(await page.locator(".body a").evaluateAll((all) => all.map((each) => each.getAttribute("href")))).toEqual([
    "https://example.com/b.png",
  ]);
  expect(await page.locator(".body img, .body script").count()).toBe(0);
  expect(await page.title()).not.toBe("taken");
  expect(elsewhere).toEqual([]);
  // The policy itself: the page's own code could not do it either.
  const client = await context.newCDPSession(page);
  const expression = "try { document.body.innerHTML = '<b>x'; 'made' } catch { 'refused' }";
  const { result } = await client.send("Runtime.evaluate", { expression });
  expect(result.value).toBe("refused");
  complaints.splice(0, Infinity, ...complaints.filter((each) => !each.includes("TrustedHTML")));
});

test("no answer takes the page down", async () => {
  await ask("answer", { deltas: 20, text: ">".repeat(250), gap_ms: 5 });
  await say("Go on");
  expect(await answer(7)).toBe(">".repeat(5_000));
  // What is wrong with the page itself costs no more than the looks of one message.
  await page.evaluate(() => {
    const { replace } = String.prototype as { replace: (...given: unknown[]) => string };
    String.prototype.replace = function (this: string, ...given: unknown[]) {
      if (`${this}`.startsWith("bitter")) throw new Error("bitter");
      return replace.apply(this, given);
    };
  });
  await ask("answer", { deltas: 30, text: "bitter ", gap_ms: 5 });
  await say("Go on");
  const bitter = "bitter ".repeat(30).trim();
  await page.getByText(bitter, { exact: true }).waitFor();
  await page.reload();
  expect(await answer(8)).toBe(bitter);
});

test("keys do what the list of keys says", async () => {
  await page.locator("main").focus();
  await page.keyboard.press("?");
  await page.getByRole("dialog", { name: "Keyboard" }).waitFor();
  expect(await faults()).toEqual([]);
  await page.keyboard.press("Escape");
  await page.keyboard.press("Control+k");
  await page.getByRole("dialog", { name: "Search" }).waitFor();
  await page.keyboard.press("Escape");
  await page.keyboard.press("Alt+n");
  await page.getByRole("heading", { name: "New conversation" }).waitFor();
  await typed("Hello");
  await page.fill(".composer textarea", "");
  await expect.poll(() => page.evaluate(() => Object.keys(localStorage).filter((key) => key.endsWith(".draft.new")))).toEqual([]);
  await page.keyboard.press("Alt+ArrowDown");
  await page.getByRole("heading", { name: "How are you?" }).waitFor();
  await typed("and then");
  await page.fill(".composer textarea", "");
});

test("a phone's width has room for all of it", async () => {
  await page.setViewportSize({ width: 360, height: 700 });
  const wide = () => page.evaluate("document.documentElement.scrollWidth");
  expect(await wide()).toBeLessThanOrEqual(360);
  await page.getByRole("button", { name: "The list of conversations" }).click();
  await page.getByRole("link", { name: "How are you?" }).click(); // it is the one that is open
  await page.locator(".app:not(.list-open)").waitFor();
  const row = (cells: string[]) => `|${cells.join("|")}|\n`;
  const text = [["Thing", "Availability", "In euros", "Remarks"], Array(4).fill("-"), ["x".repeat(99), "yes", "12.50", "y ".repeat(99)]];
  await ask("answer", { deltas: 1, text: text.map(row).join("") });
  await say("Go on");
  await answer(9);
  const lines = await page.locator(".markdown").last().evaluate((each) =>
    [...each.querySelectorAll("th, td")].map((cell) => {
      const range = document.createRange();
      range.selectNodeContents(cell);
      return new Set([...range.getClientRects()].map((one) => one.top)).size;
    }),
  );
  expect([lines[1], lines[6]]).toEqual([1, 1]); // a word, a figure
  expect(await wide()).toBeLessThanOrEqual(360);
  await page.getByRole("button", { name: "The list of conversations" }).click();
  await page.getByRole("link", { name: "How are you?" }).waitFor();
  expect(await wide()).toBeLessThanOrEqual(360);
  expect(await faults()).toEqual([]);
  await page.getByRole("button", { name: "Close the list" }).click();
  await page.setViewportSize({ width: 320, height: 600 });
  for (const choice of await page.locator(".choices select").all()) {
    await choice.evaluate((each) => ((each as HTMLSelectElement).options[0]!.text = "local/smollm2-135m-instruct"));
  }
  expect(await wide()).toBeLessThanOrEqual(320);
  await page.setViewportSize({ width: 1200, height: 800 });
});

test("tabs of a session share it, and sign out together", async () => {
  const other = await context.newPage();
  await other.goto(PAGE);
  await other.waitForSelector(".composer textarea");
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("button", { name: "Account", exact: true }).click();
  await page.getByText("web page, Chrome").first().waitFor();
  expect(await faults()).toEqual([]);
  await page.keyboard.press("Escape");
  await page.getByRole("button", { name: /^Account of/ }).click();
  expect(await faults()).toEqual([]);
  await page.getByRole("button", { name: "Sign out" }).click();
  await page.waitForSelector("[name=password]");
  await other.waitForSelector("[name=password]");
  await other.close();
});

test("a link lets the operator in, once, and shows what goes on", async () => {
  const link = `${PAGE}/#link=${await ask("link")}`;
  await page.goto("about:blank");
  await page.goto(link);
  await page.waitForSelector(".composer textarea");
  expect(page.url()).toBe(`${PAGE}/`);
  await typed("Hello");
  await ask("answer", { mode: "400" });
  await page.keyboard.press("Enter");
  await page.getByText("provider refused the request").waitFor();
  await page.goto(`${PAGE}/operator.html`);
  for (const view of ["Live", "Turns", "Usage", "Models and handlers", "People", "Security", "Mesh"]) {
    await page.getByRole("link", { name: view, exact: true }).click();
    await page.getByRole("main", { name: view }).waitFor();
    await page.locator("main > :not(.spinner)").first().waitFor({ state: "attached" });
    expect([view, await faults()]).toEqual([view, []]);
  }
  await page.getByText("all services run in one process").waitFor();
  await page.getByRole("link", { name: "Turns", exact: true }).click();
  await page.getByRole("button", { name: "What the provider said" }).click();
  await page.getByText(/fake\/model: MODEL_REFUSED · HTTP 400 · \w+/).waitFor();
  expect(await faults()).toEqual([]);
  await page.getByRole("link", { name: "Usage", exact: true }).click();
  await page.getByText(/failed MODEL_REFUSED · HTTP 400 · \w+/).waitFor();
  const beside = await context.newPage();
  await beside.goto(link);
  await beside.waitForSelector(".composer textarea"); // signed in as the tab beside is
  await beside.close();
  const stranger = await browser.newContext();
  const again = await stranger.newPage();
  await again.goto(link);
  expect(await again.locator("[role=alert]").innerText()).toContain("That link has been used");
  await again.goto("about:blank");
  await again.goto(PAGE);
  await again.getByText("antiphon web in a terminal shows a link").waitFor();
  await stranger.close();
});

test("what broke off is asked again, and people talk among themselves", async () => {
  await context.close();
  await open();
  await ask("answer", { mode: "cut" });
  await signIn();
  await say("One");
  await page.locator(".message.assistant .ending.wrong").getByText("broken off").waitFor();
  expect(await faults()).toEqual([]);
  await page.getByRole("button", { name: "Ask again" }).last().click();
  await page.getByText("answer 2 of 2").waitFor();
  expect(await answer(1)).toBe("word ".repeat(20).trim());
  expect(await page.locator(".message.user .body").allInnerTexts()).toEqual(["One"]);
  await page.getByLabel("Who answers").selectOption("nobody");
  expect(await page.locator(".composer textarea").getAttribute("placeholder")).toBe("Say something to the people here");
  await say("Among ourselves");
  const said = page.locator(".message.user:not(.sending)");
  await said.getByText("Among ourselves").waitFor();
  expect(await faults()).toEqual([]);
  await page.reload();
  await said.getByText("Among ourselves").waitFor();
  expect(await page.locator(".message", { hasText: "no model is told" }).locator(".body").allInnerTexts()).toEqual(["Among ourselves"]);
  expect(await faults()).toEqual([]);
  expect(await said.count()).toBe(2);
  expect(await page.locator(".message.assistant").count()).toBe(1);
});

test("a server that does not know the session says that, and judges no password", async () => {
  await page.evaluate(() => {
    const key = "antiphon.session";
    const kept = JSON.parse(sessionStorage.getItem(key)!);
    sessionStorage.setItem(key, JSON.stringify({ ...kept, refreshToken: "antr_of_another_server" }));
  });
  await page.reload();
  expect(await page.locator("[role=alert]").innerText()).toBe(
    "This server does not know your session any more. Sign in again.",
  );
  expect(await faults()).toEqual([]);
});

test("a guest's page asks for nothing that guests are refused", async () => {
  await ask("answer", { deltas: 500, gap_ms: 10 });
  const owner = await newSession();
  const { conversation } = await owner.stubs.context.createConversation({ title: "Visit" });
  const resource = conversation!.conversationId;
  const { name, password, userId } = await newPerson();
  await owner.stubs.context.addMember({ resource, userId, role: Role.GUEST });
  const thread = owner.thread(resource);
  await thread.start();
  await thread.ask("Welcome", { handler: "", model: "" });
  await until(() => thread.open.length > 0);
  await thread.stopAll();
  const visit = await browser.newContext();
  const guest = await visit.newPage();
  const asked: string[] = [];
  guest.on("request", (request) => asked.push(request.url().split("/").at(-1)!));
  await guest.goto(`${PAGE}/#/c/${resource}`);
  await guest.fill("[name=name]", name);
  await guest.fill("[name=password]", password);
  await guest.keyboard.press("Enter");
  await guest.getByText("Welcome").waitFor();
  await guest.getByText("stopped").waitFor();
  await guest.waitForTimeout(500); // what is asked for is asked for once it is drawn
  expect(asked).toContain("ListTurns");
  expect(asked.filter((each) => ["ListMembers", "GetUsage"].includes(each))).toEqual([]);
  await visit.close();
  owner.follower.close();
});
