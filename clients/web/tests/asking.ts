// A conversation that is open in a tab, in which handlers are asked by their names.

import type { Browser, Page } from "playwright-core";
import { Session, newTurnId } from "../src/antiphon";
import type { Conversation } from "../src/gen/antiphon/context/v1/conversation_pb";
import { ToolRule } from "../src/gen/antiphon/integration/v1/tool_pb";
import { listen } from "./browser";
import { PAGE, newPerson } from "./world";

/** Somebody's conversation, and the tab that shows it. */
export interface Asking {
  page: Page;
  complaints: string[];
  session: Session;
  conversation: Conversation;
  /** Have a handler asked something there; the turn's id. */
  ask: (handler: string, text: string) => Promise<string>;
}

/** Somebody new with a conversation, in a tab; of its tools each call waits for approval. */
export async function asking(browser: Browser, width = 1100, tools: string[] = []): Promise<Asking> {
  const person = await newPerson();
  const session = new Session({ baseUrl: PAGE }, "test");
  await session.logInByPassword(person.name, person.password);
  const { context: contexts, dispatcher } = session.stubs;
  const { conversation } = await contexts.createConversation({ title: "A tree of turns", tools, models: tools.length ? ["scripted/echo"] : [] });
  const { conversationId, workspaceId } = conversation!;
  for (const name of tools) await session.stubs.tools.setToolRule({ workspaceId, name, rule: ToolRule.ASK });
  const context = await browser.newContext({ colorScheme: "light", viewport: { width, height: 800 } });
  context.setDefaultTimeout(50_000);
  const page = await context.newPage();
  const complaints: string[] = [];
  listen(page, complaints);
  await page.goto(`${PAGE}/#/c/${conversationId}`);
  await page.fill("[name=name]", person.name);
  await page.fill("[name=password]", person.password);
  await page.keyboard.press("Enter");
  await page.waitForSelector(".composer textarea");
  const ask = async (handler: string, text: string) => {
    const parts = [{ content: { case: "text" as const, value: text } }];
    const { turn } = await dispatcher.dispatch({ conversationId, turnId: newTurnId(), handler, parts });
    return turn!.turnId;
  };
  return { page, complaints, session, conversation: conversation!, ask };
}
