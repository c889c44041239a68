// What a browser remembers of one person, over reloads and closed tabs, until they sign out.
//
// It is in localStorage, which all tabs share: each thing has a name of its own, so that no tab
// writes over what another one remembers.

const PREFIX = "antiphon.own.";
const LONGEST_MS = 7 * 24 * 3_600_000;
const MOST_LETTERS = 300_000;

interface Remembered {
  atMs: number;
  value: unknown;
}

/** One person's, as long as nobody signs out. */
export class Memory {
  private readonly prefix: string;
  private isOver = false;

  constructor(actor: string) {
    this.prefix = `${PREFIX}${actor}.`;
    for (const key of keys(PREFIX)) if (!read(key)) localStorage.removeItem(key);
  }

  /** What is remembered there. */
  get<Value>(name: string): Value | undefined {
    return read(this.prefix + name)?.value as Value | undefined;
  }

  /** Remember something, or forget it: what there is no room for is not remembered. */
  set(name: string, value: unknown): void {
    const key = this.prefix + name;
    if (this.isOver) return;
    localStorage.removeItem(key); // rather nothing than what it was before
    const written = JSON.stringify({ atMs: Date.now(), value });
    if (value === undefined || written.length > MOST_LETTERS) return;
    try {
      localStorage.setItem(key, written);
    } catch {
      // The browser gives a page no more room.
    }
  }

  /** All that is remembered under names that begin so. */
  all<Value>(begin: string): Value[] {
    return keys(this.prefix + begin).flatMap((key) => (read(key)?.value as Value | undefined) ?? []);
  }

  /** Remember nothing new: what is there stays for when they are back. */
  close(): void {
    this.isOver = true;
  }

  /** Forget all of it, and remember nothing new. */
  forget(): void {
    this.close();
    for (const key of keys(this.prefix)) localStorage.removeItem(key);
  }
}

function keys(begin: string): string[] {
  return Object.keys(localStorage).filter((key) => key.startsWith(begin));
}

/** What stands there, if it is not too old. */
function read(key: string): Remembered | undefined {
  try {
    const found = JSON.parse(localStorage.getItem(key) ?? "{}") as Remembered;
    return Date.now() - found.atMs < LONGEST_MS ? found : undefined;
  } catch {
    return undefined;
  }
}
