// Reading in Chromium: long answers, where one was, code and formulas.

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { depict, launch } from "./browser";
import { type Visit, visit } from "./visit";
import { ask } from "./world";

let browser: Browser;
let reader: Visit;

beforeAll(async () => {
  browser = await launch();
  reader = await visit(browser);
});
afterAll(() => browser?.close());
afterEach(async ({ task }) => {
  if (task.result?.state === "fail") await depict(reader.page, task.name);
  expect(reader.complaints.splice(0)).toEqual([]);
});

const LONG: Record<string, { deltas: number; text: string }> = {
  table: { deltas: 250, text: "| a cell of some words | and another one with more words in it |\n|---|---|\n" },
  code: { deltas: 30, text: `\`\`\`python\n${"print('a line of code')\n".repeat(40)}\`\`\`\n\n` },
  text: { deltas: 400, text: `${"Some words that make a paragraph. ".repeat(7)}\n\n` },
};

for (const [number, name] of Object.keys(LONG).entries()) {
  test(`the view follows a long answer to its end: ${name}`, async () => {
    await ask("answer", { ...LONG[name], gap_ms: 4 });
    await reader.say(`Tell me, as ${name}`);
    await reader.page.locator(".under-way .body").waitFor();
    await reader.answers(number + 1);
    await reader.page.waitForTimeout(400); // whatever is drawn late
    expect(await reader.left()).toBeLessThan(5);
    expect(await reader.page.getByRole("button", { name: "To the newest message" }).count()).toBe(0);
  }, 60_000);
}

test("whoever scrolls up while an answer grows stays there, and can go back", async () => {
  await ask("answer", { ...LONG["text"], gap_ms: 12 });
  await reader.say("And again");
  await reader.page.locator(".under-way .body").waitFor();
  await reader.page.mouse.move(700, 300);
  await reader.page.mouse.wheel(0, -600);
  const top = () => reader.page.locator(".scroll").evaluate((each) => each.scrollTop);
  await reader.page.getByRole("button", { name: "To the newest message" }).waitFor();
  await reader.page.waitForTimeout(300);
  const there = await top();
  await reader.page.waitForTimeout(800);
  expect(Math.abs((await top()) - there)).toBeLessThan(5);
  await reader.page.getByRole("button", { name: "To the newest message" }).click();
  await reader.answers(4);
  await reader.page.waitForTimeout(400);
  expect(await reader.left()).toBeLessThan(5);
}, 60_000);
