// Reading in Chromium: long answers, where one was, code and formulas.

import type { Browser } from "playwright-core";
import { afterAll, afterEach, beforeAll, expect, test } from "vitest";
import { depict, faultsOf, launch } from "./browser";
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
    const long = LONG[name]!;
    await ask("answer", { ...long, gap_ms: Math.ceil(1_500 / long.deltas) }); // it is seen to grow
    await reader.say(`Tell me, as ${name}`);
    await reader.page.locator(".under-way .body").waitFor();
    await reader.answers(number + 1);
    await reader.page.waitForTimeout(400); // whatever is drawn late
    expect(await reader.left()).toBeLessThan(5);
    expect(await reader.page.getByRole("button", { name: "To the newest message" }).count()).toBe(0);
  });
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
});

test("whoever comes back to a conversation reads on where they were", async () => {
  const { page } = reader;
  const place = () =>
    page.evaluate(() => {
      const edge = document.querySelector(".scroll")!.getBoundingClientRect().top;
      const all = [...document.querySelectorAll(".message")];
      const first = all.find((each) => each.getBoundingClientRect().bottom > edge)!;
      return [first.getAttribute("aria-label"), Math.round(first.getBoundingClientRect().top - edge)];
    });
  await page.mouse.move(700, 300);
  await page.mouse.wheel(0, -21_000);
  await page.waitForTimeout(300);
  const before = await place();
  expect(await reader.left()).toBeGreaterThan(1_000);
  await page.getByRole("button", { name: "New conversation" }).first().click();
  await page.getByRole("heading", { name: "New conversation" }).waitFor();
  await page.goBack();
  await page.locator(".message.assistant").first().waitFor();
  await page.waitForTimeout(1_200);
  const after = await place();
  expect(after[0]).toBe(before[0]);
  expect(Math.abs(Number(after[1]) - Number(before[1]))).toBeLessThan(40);
});

test("code has colours, formulas are set, tasks are named: by what is loaded only then, from here", async () => {
  const fresh = await visit(browser);
  const asked: string[] = [];
  fresh.page.on("request", (request) => asked.push(request.url()));
  const scripts = () => asked.filter((url) => /assets\/.*\.js/.test(url));
  await ask("answer", { deltas: 1, text: "Plain words." });
  await fresh.say("Without");
  await fresh.answers(1);
  expect(scripts()).toEqual([]);
  const text = [
    "# One\n\n### Three, without a second",
    "```python\ndef one(): return 'two'  # three\n```",
    "It costs $5 and $6, and $a^2 + b^2 = c^2$ holds, as does \\(x \\le y\\).",
    "$$\\int_0^1 \\frac{x^2}{2}\\,dx = \\frac16$$",
    "$\\href{javascript:alert(1)}{x}$ $\\includegraphics{https://example.com/a.png}$",
    "- [x] done\n- [ ] not yet",
    "שלום עולם",
  ].join("\n\n");
  await ask("answer", { deltas: 1, text });
  await fresh.say("With");
  await fresh.answers(2);
  await fresh.page.locator(".hljs-keyword").first().waitFor();
  expect(await fresh.page.locator(".hljs-keyword").allInnerTexts()).toEqual(["def", "return"]);
  await fresh.page.locator("math").nth(2).waitFor();
  expect(await fresh.page.locator("math mfrac").count()).toBe(2);
  expect(await fresh.page.locator("math a, math img, math [href], math [style*=url]").count()).toBe(0);
  expect(await fresh.page.locator("math").first().evaluate((each) => each.namespaceURI)).toContain("MathML");
  expect(await fresh.page.locator(".markdown").getByText("It costs $5 and $6").count()).toBe(1);
  expect(scripts().length).toBe(2);
  expect(asked.every((url) => url.startsWith(new URL(fresh.page.url()).origin))).toBe(true);
  const direction = (words: string) => fresh.page.locator(".markdown").getByText(words).evaluate((each) => getComputedStyle(each).direction);
  expect([await direction("שלום"), await direction("It costs")]).toEqual(["rtl", "ltr"]);
  expect(await faultsOf(fresh.page)).toEqual([]);
  await depict(fresh.page, "code and formulas");
  await fresh.close();
});

test("what has come of a long answer is not drawn again", async () => {
  await ask("answer", { ...LONG["text"], gap_ms: 6 });
  await reader.say("Once more");
  await reader.page.locator(".under-way .piece").nth(2).waitFor();
  const redrawn = await reader.page.evaluate(
    () =>
      new Promise<number>((done) => {
        let count = 0;
        const first = document.querySelector(".under-way .piece")!;
        const seen = new MutationObserver((changes) => (count += changes.length));
        seen.observe(first, { childList: true, characterData: true, subtree: true });
        setTimeout(() => done(count), 500);
      }),
  );
  expect(redrawn).toBe(0);
  await reader.answers(5);
});

test("an answer that was cut off at its limit can be continued", async () => {
  const fresh = await visit(browser);
  await ask("answer", { mode: "length" });
  await fresh.say("Write much");
  await fresh.page.getByText(/cut off at/).waitFor();
  await fresh.page.getByRole("button", { name: "Continue" }).click();
  await fresh.answers(2);
  expect(await fresh.page.locator(".message.user .body").allInnerTexts()).toEqual(["Write much", "Go on where you stopped."]);
  expect(await fresh.page.getByRole("button", { name: "Continue" }).count()).toBe(0); // of the last answer alone
  expect(await faultsOf(fresh.page)).toEqual([]);
  await fresh.close();
});
