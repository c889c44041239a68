// Chromium, and what is looked at in it.

import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { type Browser, type Page, chromium } from "playwright-core";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PICTURES = process.env["ANTIPHON_PICTURES"] ?? "";

/** A browser without windows. */
export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: "/usr/bin/chromium", args: ["--no-sandbox"] });
}

/** Collect what the page complains about, which is a failure. */
export function listen(page: Page, complaints: string[]): void {
  page.on("pageerror", (error) => complaints.push(error.message));
  page.on("console", (message) => {
    // A server that is away is no fault of the page.
    const isFault = message.type() === "error" && !/Failed to load resource/.test(message.text());
    if (isFault) complaints.push(message.text());
  });
}

/** Show what a test failed on. */
export async function depict(page: Page, name: string): Promise<void> {
  if (!PICTURES) return;
  const path = `${PICTURES}/${name.replace(/\W+/g, "_")}.png`;
  await page.screenshot({ path });
  console.log("see", path, await page.locator("body").innerText());
}

/** What axe finds wrong (WCAG 2.2 AA), in both themes. Its script comes past the policy. */
export async function faultsOf(page: Page): Promise<string[]> {
  const found: string[] = [];
  for (const colorScheme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const client = await page.context().newCDPSession(page);
    await client.send("Runtime.evaluate", { expression: AXE });
    const tags = ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice", "experimental"];
    // What can be scrolled has to be reached by keys, whatever its role: another rule says so.
    const rules = { "focus-order-semantics": { enabled: false } };
    const expression = `axe.run(${JSON.stringify({ runOnly: tags, rules })}).then((found) => JSON.stringify(
      found.violations.map((each) => [each.id, ...each.nodes.map((node) => node.html + node.failureSummary)])))`;
    const run = await client.send("Runtime.evaluate", { expression, awaitPromise: true });
    if (run.exceptionDetails) throw new Error(JSON.stringify(run.exceptionDetails));
    for (const each of JSON.parse(`${run.result.value}`)) found.push(`${colorScheme}: ${each}`);
    await client.detach();
  }
  await page.emulateMedia({ colorScheme: "light" });
  return found;
}
