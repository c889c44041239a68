// What one wants to be known by, in Chromium.

import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, expect, test } from "vitest";
import { asking } from "./asking";
import { faultsOf, launch } from "./browser";

const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";
let browser: Browser;

beforeAll(async () => {
  browser = await launch();
});
afterAll(() => browser?.close());

const depicted = async (page: Page, name: string) => {
  if (!PICTURES) return;
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme });
    await page.screenshot({ path: `${PICTURES}/profile-${name}-${colorScheme}.png` });
  }
  await page.emulateMedia({ colorScheme: "light" });
};

test("a profile is set, overridden in a workspace, and taken away", async () => {
  const { page, complaints, session, conversation } = await asking(browser);
  const { profiles } = session.stubs;
  const { workspaceId } = conversation;
  await page.getByRole("button", { name: /^Account of/ }).click();
  await page.getByRole("button", { name: "About you" }).click();
  const dialog = page.getByRole("dialog", { name: "About you" });
  await dialog.getByLabel("Call me").fill("Ännchen <b>");
  await dialog.getByLabel("Language").fill("pt-br");
  await dialog.getByRole("button", { name: /^Take this browser's/ }).click();
  await dialog.getByLabel("What I like").fill("short answers\n\nmetric units");
  await dialog.getByLabel("Fields for programs").fill("team=blue\nurl=a=b");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("It is saved").waitFor();
  const { profile } = await profiles.getProfile({});
  expect(profile).toMatchObject({
    callName: "Ännchen <b>",
    locale: "pt-BR",
    preferences: ["short answers", "metric units"],
    fields: { team: "blue", url: "a=b" },
  });
  expect(profile?.timeZone).not.toBe("");
  await depicted(page, "set");
  expect(await faultsOf(page)).toEqual([]);

  await dialog.getByLabel("Time zone").fill("Europe/Nowhere");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText(/That can't be taken: time_zone/).waitFor();
  expect(await dialog.getByLabel("Time zone").inputValue()).toBe("Europe/Nowhere");
  await dialog.getByLabel("Time zone").fill("Asia/Tokyo");
  await profiles.updateProfile({ callName: "elsewhere", updateMask: { paths: ["call_name"] } });
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("It was changed elsewhere meanwhile").waitFor();

  await dialog.getByLabel("Where").selectOption(workspaceId);
  const name = dialog.getByLabel("Call me");
  await expect.poll(() => name.getAttribute("placeholder")).toBe("elsewhere");
  await name.fill("Dr. A");
  await depicted(page, "workspace");
  await dialog.getByRole("button", { name: "Save" }).click();
  await dialog.getByText("It is saved").waitFor();
  expect((await profiles.getProfile({ workspaceId })).effective).toMatchObject({ callName: "Dr. A", locale: "pt-BR" });
  await dialog.getByRole("button", { name: "Take it away" }).click();
  await dialog.getByText("It is taken away.").waitFor();
  expect((await profiles.getProfile({ workspaceId })).profile?.etag).toBe("none");

  await page.setViewportSize({ width: 390, height: 800 });
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
  await depicted(page, "narrow");
  expect(complaints).toEqual([]);
});
