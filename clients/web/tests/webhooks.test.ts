// Webhooks in Chromium: one is made, tried, told of answers, put out of use and taken away.

import { type IncomingMessage, type Server, createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { asking } from "./asking";
import { faultsOf, launch } from "./browser";
import { PAGE, until } from "./world";

const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
let browser: Browser;
let receiver: Server;
let url = "";
let status = 204;
const received: IncomingMessage["headers"][] = [];

beforeAll(async () => {
  browser = await launch();
  receiver = createServer((request, response) => {
    received.push(request.headers);
    request.resume();
    response.writeHead(status).end();
  });
  await new Promise<void>((done) => receiver.listen(0, "127.0.0.1", done));
  url = `http://127.0.0.1:${(receiver.address() as AddressInfo).port}/hook`;
});
beforeEach(() => {
  status = 204;
});
afterAll(async () => {
  await browser?.close();
  receiver.close();
});

const depicted = async (page: Page, name: string) => {
  if (!PICTURES) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${PICTURES}/webhooks-${name}-${colorScheme}.png` });
  }
  await page.emulateMedia({ colorScheme: "light" });
};
const make = async (page: Page, description: string) => {
  await page.getByRole("button", { name: "New webhook" }).click();
  await page.getByLabel("Address").fill(url);
  await page.getByLabel("What it is for").fill(description);
};

test("one's own is made, its secret is shown once, and it is tried", async () => {
  const { page, complaints, session, ask } = await asking(browser);
  await page.goto(`${PAGE}/#/webhooks`);
  await page.getByText("There are none.").waitFor();
  await make(page, "for the <b>pager</b>");
  await page.getByLabel("out of time").check();
  await page.getByLabel("succeeded").check();
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "dialog");
  await page.getByRole("button", { name: "Make it" }).click();
  const shown = page.getByRole("dialog", { name: "Its secret" });
  expect(await shown.locator(".secret code").innerText()).toMatch(/^whsec_[\w+/=]{20,}$/);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "secret");
  await shown.getByRole("button", { name: "I have it" }).click();
  const one = page.locator(".webhook");
  await one.getByText("for the <b>pager</b>").waitFor();
  await one.getByText("Told when an answer has ended, or waits for people. Only answers that end as succeeded or out of time.").waitFor();
  expect(await page.getByText(/whsec_/).count()).toBe(0);
  await one.getByRole("button", { name: "Test" }).click();
  await one.getByText(/^A test was posted: taken: HTTP status 204, within /).waitFor();
  expect(received.at(-1)?.["webhook-signature"]).toMatch(/^v1,/);
  await ask("echo", "hello");
  await one.getByRole("button", { name: "Deliveries" }).click();
  const rows = page.getByRole("region", { name: `Deliveries to ${url}` }).locator("tbody tr");
  await rows.filter({ hasText: "echo: succeeded" }).getByText("delivered").waitFor();
  status = 500;
  await ask("echo", "once more");
  const failing = rows.filter({ hasText: "not taken: HTTP status 500" });
  await failing.getByText("waiting").waitFor();
  await failing.getByText(/^next /).waitFor();
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "deliveries");
  status = 204;
  await failing.getByRole("button", { name: /^Post ntf_\w+ again$/ }).click();
  await failing.waitFor({ state: "detached" });
  await page.setViewportSize({ width: 390, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "phone");
  expect((await session.stubs.webhooks.listWebhooks({})).webhooks.length).toBe(1);
  expect(complaints).toEqual([]);
}, 120_000);

test("a workspace's is changed, put out of use, given another secret, and taken away", async () => {
  const { page, complaints, session, conversation, ask } = await asking(browser);
  const { workspaceId } = conversation;
  await page.goto(`${PAGE}/#/webhooks`);
  await page.getByLabel("Workspace", { exact: true }).selectOption(workspaceId);
  await page.getByText(/when any answer in this workspace has ended/).waitFor();
  await make(page, "books");
  await page.getByLabel("Address").fill("ftp://nowhere.example/hook");
  await page.getByRole("button", { name: "Make it" }).click();
  expect(await page.getByLabel("Address").evaluate((each: HTMLInputElement) => each.validity.patternMismatch)).toBe(true);
  await page.getByLabel("Address").fill("http://192.168.7.7/hook");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("dialog").getByRole("alert").waitFor();
  await page.getByLabel("Address").fill(url);
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByRole("button", { name: "I have it" }).click();
  const one = page.locator(".webhook");
  await one.getByRole("button", { name: "Change" }).click();
  expect(await page.getByLabel("Address").inputValue()).toBe(url);
  await page.getByLabel("Of these handlers").fill("echo, assistant");
  await page.getByRole("button", { name: "Change it" }).click();
  await one.getByText(/Only answers by echo, assistant\./).waitFor();
  await one.getByRole("button", { name: "Disable" }).click();
  await one.getByText("disabled", { exact: true }).waitFor();
  const before = received.length;
  await ask("echo", "unheard");
  await one.getByRole("button", { name: "New secret" }).click();
  await page.getByRole("dialog", { name: "Its secret" }).press("Escape");
  await one.getByText(/2 secrets are valid/).waitFor();
  await one.getByRole("button", { name: "Deliveries" }).click();
  await page.getByText("There are none: nothing has happened that it is told of.").waitFor();
  expect(received.length).toBe(before);
  await one.getByRole("button", { name: "Enable" }).click();
  await one.getByText("on", { exact: true }).waitFor();
  await ask("echo", "heard");
  await until(() => received.length > before);
  expect(received.at(-1)?.["webhook-signature"]).toMatch(/^v1,\S+ v1,\S+$/);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "workspace");
  await one.getByRole("button", { name: "Delete" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await page.getByText("There are none.").waitFor();
  expect((await session.stubs.webhooks.listWebhooks({ workspaceId })).webhooks).toEqual([]);
  expect(complaints).toEqual([]);
}, 120_000);
