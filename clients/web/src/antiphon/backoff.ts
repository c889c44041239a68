// How long to wait before the next try.

// As long as a restart may take, pauses stay short: a stream is back within 2 s of it.
const RESTART_TRIES = 20;
const RESTART_MOST_MS = 800;

/**
 * Doubling pauses with full jitter: the first is under 0.1 s, none is over `mostMs`. None of the
 * first twenty, some 8 s in all, is over 0.8 s.
 */
export class Backoff {
  private tries = 0;

  constructor(
    private readonly firstMs = 100,
    private readonly mostMs = 5_000,
    private readonly random: () => number = Math.random,
  ) {}

  /** Milliseconds to wait now. */
  next(): number {
    const most = this.tries >= RESTART_TRIES ? this.mostMs : Math.min(this.mostMs, RESTART_MOST_MS);
    const ceiling = Math.min(this.firstMs * 2 ** Math.min(this.tries, 30), most);
    this.tries += 1;
    return ceiling * (0.1 + 0.9 * this.random());
  }

  /** Something worked, if not for long: wait 0.4 s at most the next time. */
  ease(): void {
    this.tries = Math.min(this.tries, 2);
  }

  /** Begin again with short pauses. */
  reset(): void {
    this.tries = 0;
  }
}

/** Wait; ends early, without an error, when the signal is given. */
export function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((done) => {
    if (signal?.aborted) return done();
    const timer = setTimeout(end, ms);
    function end(): void {
      clearTimeout(timer);
      signal?.removeEventListener("abort", end);
      done();
    }
    signal?.addEventListener("abort", end);
  });
}
