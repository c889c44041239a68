// What was spent, budgets, and what a refusal means, in Chromium.

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { depict, faultsOf, launch } from "./browser";
import { type Visit, visit } from "./visit";
import { PAGE, ask } from "./world";

const PHONE = { width: 390, height: 844 };
const DESK = { width: 1200, height: 800 };
let browser: Browser;
let one: Visit;

beforeAll(async () => {
  browser = await launch();
  one = await visit(browser);
});
afterAll(() => browser?.close());
afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await depict(one.page, task.name);
  expect(one.complaints.splice(0)).toEqual([]);
});

const region = () => one.page.getByRole("region", { name: "Usage and budgets" });

async function goTo(hash: string): Promise<void> {
  await one.page.goto(`${PAGE}/${hash}`);
}

test("what answers took is shown by days, and by who and what took it", async () => {
  const { page } = one;
  await one.say("How are you?");
  await one.answers(1);
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("link", { name: "Usage and budgets" }).click();
  await page.getByRole("heading", { level: 1, name: "Usage and budgets" }).waitFor();
  await expect.poll(() => region().locator(".figures").innerText(), { timeout: 10_000 }).toMatch(/Tokens\s+31\b/);
  expect(await region().locator(".figures").innerText()).toMatch(/\$0\.00001/);
  const chart = page.getByRole("img", { name: /^Tokens a day: .* 31$/ });
  await chart.waitFor();
  expect(await page.getByRole("img", { name: /^Cost a day: .*\$0\.00/ }).count()).toBe(1);
  const table = () => page.locator(".rows tbody").innerText();
  await expect.poll(table).toMatch(/fake\/model/);
  await page.getByLabel("By what").selectOption("person");
  await expect.poll(table).toContain(one.name.charAt(0).toUpperCase() + one.name.slice(1));
  await page.getByLabel("By what").selectOption("conversation");
  await expect.poll(table).toContain("How are you?");
  await page.getByLabel("By what").selectOption("API key");
  await expect.poll(table).toMatch(/^none\b/);
  expect(await faultsOf(page)).toEqual([]);
});

test("an admin puts a budget, changes it and deletes it", async () => {
  const { page } = one;
  await goTo("#/usage");
  await region().getByText("nothing is limited").waitFor();
  await page.getByRole("button", { name: "New budget" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("team");
  await page.getByRole("spinbutton", { name: "Limit" }).fill("50");
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole("button", { name: "Make it" }).click();
  await region().getByText("$50.00 a month, the workspace").waitFor();
  await region().getByText("$0.00 spent · $0.00 reserved · $50.00 left").waitFor();
  await page.getByRole("button", { name: "New budget" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("team");
  await page.getByRole("spinbutton", { name: "Limit" }).fill("70");
  await page.getByRole("button", { name: "Make it" }).click();
  await page.getByText("There is one of that name already.").waitFor();
  await page.getByRole("dialog").getByRole("button", { name: "Close" }).click();
  await page.getByRole("button", { name: "Change team" }).click();
  await page.getByRole("spinbutton", { name: "Limit" }).fill("2.5");
  await page.getByRole("combobox", { name: "Per" }).selectOption("a day");
  await page.getByRole("button", { name: "Change it" }).click();
  await region().getByText("$2.50 a day, the workspace").waitFor();
  await page.getByRole("button", { name: "Change team" }).click();
  await page.getByRole("combobox", { name: "For" }).selectOption("each API key");
  await page.getByRole("button", { name: "Change it" }).click();
  await region().getByText("$2.50 a day, each API key").waitFor();
  await depict(page, "usage");
  await page.getByRole("button", { name: "Change team" }).click();
  await page.getByRole("textbox", { name: "Models and tools that count" }).fill("fake/*, antiphon.time");
  await page.getByRole("combobox", { name: "When it is used up" }).selectOption("ask the next model that is listed");
  await page.getByRole("spinbutton", { name: "Warn when used" }).fill("60");
  await page.setViewportSize(PHONE);
  expect(await faultsOf(page)).toEqual([]);
  await page.setViewportSize(DESK);
  await page.getByRole("button", { name: "Change it" }).click();
  await region().getByText("for antiphon.time, fake/*; then the next model").waitFor();
  await page.getByRole("button", { name: "Change team" }).click();
  expect(await page.getByRole("spinbutton", { name: "Warn when used" }).inputValue()).toBe("60");
  await page.keyboard.press("Escape");
  await page.setViewportSize(PHONE);
  expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBe(PHONE.width);
  expect(await faultsOf(page)).toEqual([]);
  await page.setViewportSize(DESK);
  await page.getByRole("button", { name: "Delete team" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await region().getByText("nothing is limited").waitFor();
});

test("a refusal says what was left, whether waiting helps, and what to do", async () => {
  const { page } = one;
  await page.getByRole("button", { name: "New budget" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("tiny");
  await page.getByRole("spinbutton", { name: "Limit" }).fill("0.000001");
  await page.getByRole("combobox", { name: "Per" }).selectOption("in all");
  await page.getByRole("button", { name: "Make it" }).click();
  await region().getByText("in all, the workspace").waitFor();
  await goTo("#/");
  await page.locator(".composer textarea").waitFor();
  await ask("answer", {});
  await one.say("May I?");
  const refusal = page.getByText("The budget tiny has too little left.");
  await refusal.waitFor();
  const words = await refusal.innerText();
  expect(words).toMatch(/Of \$0\.000001, \$0\.00 went already, and \$0\.00 may go .* may take \$\d/);
  expect(words).toContain("Waiting does not help: ask for less, choose a model that costs less, or have an admin");
  expect(await faultsOf(page)).toEqual([]);
});

test("an operator limits all workspaces together", async () => {
  const { page } = one;
  await page.goto("about:blank");
  await page.goto(`${PAGE}/#link=${await ask("link")}`);
  await page.locator(".composer textarea").waitFor();
  await goTo("#/usage");
  await region().getByLabel("Workspace", { exact: true }).selectOption("All workspaces");
  await region().getByText("nothing is limited over all workspaces").waitFor();
  await page.getByRole("button", { name: "New budget" }).click();
  await page.getByRole("textbox", { name: "Name", exact: true }).fill("everything");
  await page.getByRole("spinbutton", { name: "Limit" }).fill("100");
  await page.getByRole("button", { name: "Make it" }).click();
  await region().getByText("$100.00 a month, all workspaces").waitFor();
  await page.getByLabel("By what").selectOption("workspace");
  await expect.poll(() => page.locator(".rows tbody").innerText()).toMatch(/\S/);
  expect(await faultsOf(page)).toEqual([]);
  await page.getByRole("button", { name: "Delete everything" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Delete" }).click();
  await region().getByText("nothing is limited over all workspaces").waitFor();
});
