// A conversation whose model may call tools, and a tab that shows it.

import type { Browser, Page } from "playwright-core";
import { Session } from "../src/antiphon";
import { ToolRule } from "../src/gen/antiphon/integration/v1/tool_pb";
import { listen } from "./browser";
import { PAGE, newPerson } from "./world";

/** Where it is, and whose. */
export interface Place {
  person: { name: string; password: string };
  hash: string;
  complaints: string[];
}

/** A conversation whose model may call this tool, by this rule. */
export async function place(tool: string, rule: ToolRule): Promise<Place> {
  const person = await newPerson();
  const session = new Session({ baseUrl: PAGE }, "test");
  await session.logInByPassword(person.name, person.password);
  const { context, tools } = session.stubs;
  const { conversation } = await context.createConversation({ title: "Tools", tools: [tool], models: ["scripted/echo"] });
  await tools.setToolRule({ workspaceId: conversation!.workspaceId, name: tool, rule });
  return { person, hash: `#/c/${conversation!.conversationId}`, complaints: [] };
}

/** A tab of that person. */
export async function open(browser: Browser, { person, hash, complaints }: Place, width = 1280): Promise<Page> {
  const context = await browser.newContext({ colorScheme: "light", viewport: { width, height: 800 } });
  context.setDefaultTimeout(50_000);
  const page = await context.newPage();
  listen(page, complaints);
  await page.goto(PAGE + "/" + hash);
  await page.fill("[name=name]", person.name);
  await page.fill("[name=password]", person.password);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".composer textarea");
  return page;
}

/** Say something. */
export async function say(page: Page, text: string): Promise<void> {
  await page.fill(".composer textarea", text);
  await page.keyboard.press("Enter");
}
