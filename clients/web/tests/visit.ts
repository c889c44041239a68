// Somebody new at the page, in a browser of their own.

import type { Browser, BrowserContextOptions, Page } from "playwright-core";
import { expect } from "vitest";
import { listen } from "./browser";
import { PAGE, newPerson } from "./world";

/** One person's tab; what it complains about is collected. */
export class Visit {
  constructor(
    readonly page: Page,
    readonly name: string,
    readonly userId: string,
    readonly complaints: string[],
  ) {}

  /** Say something. */
  async say(text: string): Promise<void> {
    await this.page.fill(".composer textarea", text);
    await this.page.keyboard.press("Enter");
  }

  /** Wait until so many answers are complete. */
  async answers(count: number): Promise<void> {
    await this.page.locator(".message.assistant:not(.under-way) .facts").nth(count - 1).waitFor();
  }

  /** Pixels from what is seen to the end of the conversation. */
  left(): Promise<number> {
    return this.page.locator(".scroll").evaluate((each) => each.scrollHeight - each.scrollTop - each.clientHeight);
  }

  /** Close it; it had nothing to complain about. */
  async close(): Promise<void> {
    await this.page.context().close();
    expect(this.complaints).toEqual([]);
  }
}

/** A tab that somebody new has signed in to. */
export async function visit(browser: Browser, options: BrowserContextOptions = {}, url = PAGE): Promise<Visit> {
  const { name, password, userId } = await newPerson();
  const context = await browser.newContext({ colorScheme: "light", viewport: { width: 1200, height: 800 }, ...options });
  context.setDefaultTimeout(50_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  listen(page, complaints);
  await page.goto(url);
  await page.fill("[name=name]", name);
  await page.fill("[name=password]", password);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".composer textarea");
  return new Visit(page, name, userId, complaints);
}
