// What to do when a stream breaks: try again, and when, or give up.

import { Code } from "@connectrpc/connect";
import { Backoff, sleep } from "./backoff";
import type { AntiphonError } from "./errors";

const STEADY_MS = 5_000;

/** How a stream's connection is; `error` says why while it is waiting. */
export interface Connection {
  state: "connecting" | "connected" | "waiting" | "idle" | "ended";
  error?: AntiphonError;
  pauseMs?: number;
}

/** The memory of one stream's connections. It never gives up on a server that is away. */
export class Redial {
  private readonly backoff = new Backoff();
  private began = 0;
  private worked = 0;
  private holdMs = 0;
  private wasRefused = false;
  private waiting: AbortController | undefined;

  constructor(
    private readonly tell: (connection: Connection) => void,
    private readonly clock: () => number = () => performance.now(),
  ) {}

  /** A try begins. */
  connecting(): void {
    this.began = this.clock();
    this.tell({ state: "connecting" });
  }

  /** The server took us in. */
  connected(): void {
    this.wasRefused = false;
    this.tell({ state: "connected" });
    this.backoff.ease();
    this.worked = this.clock();
  }

  /** Something came of it, so the next break is a new one. */
  progressed(): void {
    this.worked = this.clock();
    this.backoff.reset();
  }

  /** The server asked to be left alone for a while. */
  hold(ms: number): void {
    this.holdMs = Math.max(this.holdMs, ms);
  }

  /** There is reason to believe that the next try will work: make it now. */
  now(): void {
    this.waiting?.abort();
  }

  /** Wait for the next try. Throws `error` if there shall be none. */
  async pause(error: AntiphonError): Promise<void> {
    if (error.code === Code.Unauthenticated) {
      if (this.wasRefused || !error.isOfToken) throw error;
      this.wasRefused = true;
    } else if (!error.isResumable) {
      throw error;
    }
    const now = this.clock();
    if (this.worked >= this.began && now - this.began > STEADY_MS) this.backoff.reset();
    const pauseMs = this.backoff.next() + Math.max(this.holdMs, error.retryAfterMs ?? 0);
    this.holdMs = 0;
    this.tell({ state: "waiting", error, pauseMs });
    this.waiting = new AbortController();
    await sleep(pauseMs, this.waiting.signal);
    this.waiting = undefined;
  }
}
