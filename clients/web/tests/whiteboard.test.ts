// The whiteboard in Chromium: two people write it, and one sees what the other has written.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asking } from "./asking";
import { faultsOf, launch } from "./browser";
import { PAGE } from "./world";

const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
const HOSTILE = "<img src=x onerror=alert(1)>\n1. Ask **Anna**";
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const depicted = async (page: Page, name: string) => {
  if (!PICTURES) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${PICTURES}/whiteboard-${name}-${colorScheme}.png` });
  }
  await page.emulateMedia({ colorScheme: "light" });
};
const boardOf = (page: Page) => page.getByRole("complementary", { name: "Whiteboard" });

test("sections are written, changed elsewhere, and kept", async () => {
  const { page, complaints, session, conversation } = await asking(browser);
  const { conversationId } = conversation;
  const { whiteboards } = session.stubs;
  const elsewhere = (name: string, value: string) =>
    whiteboards.writeSection({ conversationId, name, content: { case: "text", value } });
  await page.goto(`${PAGE}/#/c/${conversationId}`);
  await page.getByRole("button", { name: "The whiteboard" }).click();
  const board = boardOf(page);
  await board.getByText("Working notes for everybody here.").waitFor();
  await board.getByRole("button", { name: "Add a section" }).click();
  await board.getByLabel("Name").fill("Plan");
  await board.getByLabel("What it says").fill(HOSTILE);
  await board.getByRole("button", { name: "Save" }).click();
  const plan = board.getByRole("article", { name: "Plan" });
  await plan.getByText("<img src=x onerror=alert(1)>").waitFor();
  await plan.getByText(/, you$/).waitFor();
  await elsewhere("Größe & Co".replace(" & ", "-"), "XL");
  await board.getByRole("article", { name: "Größe-Co" }).getByText("XL").waitFor();
  await depicted(page, "sections");
  expect(await faultsOf(page)).toEqual([]);

  await plan.getByRole("button", { name: "What to do with Plan" }).click();
  await plan.getByRole("button", { name: "Edit" }).click();
  const text = board.getByLabel("What Plan says");
  await text.fill("mine");
  await elsewhere("plan", "theirs");
  await board.getByText("Written meanwhile by you:").waitFor();
  await board.getByText("theirs", { exact: true }).waitFor();
  expect(await text.inputValue()).toBe("mine");
  await depicted(page, "conflict");
  expect(await faultsOf(page)).toEqual([]);
  await board.getByRole("button", { name: "Write mine over it" }).click();
  await plan.getByText("mine", { exact: true }).waitFor();

  await plan.getByRole("button", { name: "What to do with Plan" }).click();
  await plan.getByRole("button", { name: "History" }).click();
  await plan.getByRole("list", { name: "What Plan was" }).getByText("theirs").waitFor();
  await board.getByText(/It goes on/).waitFor();
  await board.getByLabel("Keep it as long as the conversation").check();
  await board.getByText(/It goes on/).waitFor({ state: "detached" });
  expect((await whiteboards.getWhiteboard({ conversationId })).whiteboard?.kept).toBe(true);

  await plan.getByRole("button", { name: "What to do with Plan" }).click();
  await plan.getByRole("button", { name: "Edit" }).click();
  await text.fill("kept from loss");
  await whiteboards.deleteSection({ conversationId, name: "Plan" });
  await board.getByText("It was deleted meanwhile.").waitFor();
  await board.getByRole("button", { name: "Write mine all the same" }).click();
  await plan.getByText("kept from loss").waitFor();

  await page.setViewportSize({ width: 390, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  expect(await faultsOf(page)).toEqual([]);
  await depicted(page, "phone");
  await board.getByRole("button", { name: "Close the whiteboard" }).click();
  await page.reload();
  await page.waitForSelector(".composer textarea");
  expect(await board.count()).toBe(0);
  expect(complaints).toEqual([]);
}, 120_000);
