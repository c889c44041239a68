// What a profile says, as one writes it into a form.

/** Lines that say something, as they were written. */
export function linesOf(written: string): string[] {
  return written.split("\n").map((line) => line.trim()).filter(Boolean);
}

/** Fields as lines `key=value`. */
export function fieldsOf(written: string): Record<string, string> {
  return Object.fromEntries(linesOf(written).map((line) => {
    const [key = "", ...value] = line.split("=");
    return [key.trim(), value.join("=").trim()];
  }));
}

/** The lines that say such fields. */
export function written(fields: Record<string, string>): string {
  return Object.entries(fields).sort().map(([key, value]) => `${key}=${value}`).join("\n");
}

/** The time zones that this browser knows; the server has the last word. */
export function zones(): string[] {
  return Intl.supportedValuesOf("timeZone");
}

/** Where this browser's clock is. */
export function zoneHere(): string {
  return Intl.DateTimeFormat().resolvedOptions().timeZone;
}
