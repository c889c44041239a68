// Following scopes' logs on one stream: every event once, in order, over any number of connections.
//
// A browser can't stream requests, and over HTTP/1.1 has six connections for all its pages: so one
// Follow carries every watch, and UpdateFollow adds, ends and refreshes.

import { create } from "@bufbuild/protobuf";
import { Code } from "@connectrpc/connect";
import type { Event } from "../gen/antiphon/events/v1/event_pb";
import {
  type FollowResponse,
  type SubscribeRequest,
  SubscribeRequestSchema,
} from "../gen/antiphon/events/v1/event_service_pb";
import { CloseReason, type WatchEnded } from "../gen/antiphon/events/v1/stream_pb";
import { sleep } from "./backoff";
import type { Stubs } from "./channel";
import { AntiphonError, connectionLost, errorOf, errorOfStatus, milliseconds } from "./errors";
import { newFollowId } from "./ids";
import { Place, type WatchOptions } from "./place";
import { type Connection, Redial } from "./redial";
import type { TokenSource } from "./tokens";

const MAX_AGE_MS = 3_600_000;
const OPENING_MS = 10_000;
const SILENCE_MS = 40_000;
const MOST_ACTIONS = 256;
const LEAST_LOOK_MS = 1_000;
const LOOK_MS = 15_000;
const LIVELY_MS = 3_000;
const ANSWER_MS = 4_000;

/** What a watch tells. */
export interface WatchListener {
  /** New events, in order; `cursor` is the position after them. */
  events(events: Event[], cursor: string): void;
  /** The watch is in place, again after each break. */
  created?(): void;
  /** History was lost: return a cursor to go on from, or throw. Without it the watch ends. */
  lost?(error: AntiphonError): Promise<string> | string;
  /** No more will come, for good. */
  ended?(error: AntiphonError): void;
}

/** One scope that is followed. */
export interface Watching {
  /** The position up to which everything was told. */
  readonly cursor: string;
  /** Stop following. */
  close(): void;
}

interface Entry {
  id: string;
  place: Place;
  listener: WatchListener;
  isOnStream: boolean;
}

/** One stream for all that a client follows; it connects again by itself, for ever. */
export class Follower {
  private readonly watches = new Map<string, Entry>();
  private readonly redial: Redial;
  private count = 0;
  private isRunning = false;
  private isPaused = false;
  private isClosed = false;
  private connection: OpenStream | undefined;

  /** `open` are stubs without a token, `signed` those with the session's. */
  constructor(
    private readonly open: Stubs,
    private readonly signed: Stubs,
    private readonly tokens: TokenSource,
    private readonly tell: (connection: Connection) => void = () => {},
    private readonly silenceMs = SILENCE_MS,
  ) {
    this.redial = new Redial(tell);
  }

  /** Begin to follow a scope; other watches go on undisturbed. */
  watch(scope: string, listener: WatchListener, options: WatchOptions = {}): Watching {
    this.count += 1;
    const place = new Place(scope, options);
    const entry: Entry = { id: `${this.count}`, place, listener, isOnStream: false };
    this.watches.set(entry.id, entry);
    this.connection?.add(entry);
    void this.run();
    return {
      get cursor() {
        return place.cursor;
      },
      close: () => this.forget(entry),
    };
  }

  /** Let go of the connection, and keep every place. */
  pause(): void {
    this.isPaused = true;
    this.connection?.end(connectionLost("paused"));
  }

  /**
   * Somebody waits for what may come: a connection that has been silent for 3 s is asked for a sign
   * of life, and given up without one 4 s later.
   */
  check(): void {
    this.connection?.check();
  }

  /** Go on where `pause` left off, or try now where the next try was to come later. */
  resume(): void {
    this.isPaused = false;
    this.redial.now();
    void this.run();
  }

  /** End everything. */
  close(): void {
    this.isClosed = true;
    this.watches.clear();
    this.connection?.cancel();
    this.redial.now();
  }

  private forget(entry: Entry): void {
    this.watches.delete(entry.id);
    if (this.watches.size === 0) this.connection?.cancel();
    else this.connection?.remove(entry);
  }

  private get isWanted(): boolean {
    return !this.isClosed && !this.isPaused && this.watches.size > 0;
  }

  private async run(): Promise<void> {
    if (this.isRunning) return;
    this.isRunning = true;
    try {
      while (this.isWanted) await this.connectOnce();
      this.tell({ state: this.isClosed ? "ended" : "idle" });
    } catch (thrown) {
      this.fail(errorOf(thrown));
    } finally {
      this.isRunning = false;
    }
    if (this.isWanted) void this.run(); // asked for in the meantime
  }

  /** One connection, and the pause after it. Throws if there shall be no other. */
  private async connectOnce(): Promise<void> {
    this.redial.connecting();
    try {
      const token = await this.tokens.get();
      if (!this.isWanted) return;
      this.connection = new OpenStream(this.open, this.signed, this.tokens, token, this.silenceMs);
      await this.connection.read([...this.watches.values()], (frame) => this.take(frame));
    } catch (thrown) {
      const error = errorOf(thrown);
      if (error.isOfToken && this.connection) this.tokens.reject(this.connection.token);
      if (this.isWanted) await this.redial.pause(error);
    } finally {
      this.connection = undefined;
      for (const entry of this.watches.values()) entry.isOnStream = false;
    }
  }

  private async take({ frame }: FollowResponse): Promise<void> {
    switch (frame.case) {
      case "batch": {
        this.redial.progressed();
        const entry = this.watches.get(frame.value.watchId);
        if (entry) this.deliver(entry, () => entry.place.take(frame.value));
        return;
      }
      case "created": {
        this.redial.connected();
        const entry = this.watches.get(frame.value.watchId);
        if (!entry) return;
        if (!entry.place.cursor) entry.place.reached(frame.value.cursor);
        entry.listener.created?.();
        return;
      }
      case "progress":
        this.redial.progressed();
        for (const watch of frame.value.watches) {
          this.watches.get(watch.watchId)?.place.reached(watch.cursor);
        }
        return;
      case "draining":
        this.redial.hold(milliseconds(frame.value.reconnectAfter) ?? 0);
        return;
      case "ended":
        await this.ended(frame.value);
    }
  }

  /** A gap ends its watch alone: it is told, and nothing behind it is. */
  private deliver(entry: Entry, take: () => Event[]): void {
    let events: Event[];
    try {
      events = take();
    } catch (gap) {
      this.forget(entry);
      entry.listener.ended?.(errorOf(gap));
      return;
    }
    if (events.length) entry.listener.events(events, entry.place.cursor);
  }

  private async ended(ended: WatchEnded): Promise<void> {
    const entry = this.watches.get(ended.watchId);
    const error = ending(ended);
    if (ended.watchId && !entry) return; // it was closed here
    const ofStream = error.isResumable || error.code === Code.Unauthenticated;
    if (!entry || ofStream) throw error;
    entry.isOnStream = false;
    if (ended.reason === CloseReason.HISTORY_LOST && entry.listener.lost) {
      try {
        entry.place.restart(await entry.listener.lost(error));
        if (this.watches.has(entry.id)) this.connection?.add(entry);
        return;
      } catch (thrown) {
        this.watches.delete(entry.id);
        entry.listener.ended?.(errorOf(thrown));
        return;
      }
    }
    this.watches.delete(entry.id);
    entry.listener.ended?.(error);
  }

  private fail(error: AntiphonError): void {
    const entries = [...this.watches.values()];
    this.watches.clear();
    this.tell({ state: "ended", error });
    for (const entry of entries) entry.listener.ended?.(error);
  }
}

/** One connection: its frames, its changes in order, and a token that is renewed in time. */
class OpenStream {
  private readonly followId = newFollowId();
  private readonly aborting = new AbortController();
  private isOpen = false;
  private changes: Promise<void> = Promise.resolve();
  private waiting: SubscribeRequest[] = [];
  private why: AntiphonError | undefined;
  private silence: ReturnType<typeof setTimeout> | undefined;
  private heardAt = 0;
  private isAsked = false;

  constructor(
    private readonly open: Stubs,
    private readonly signed: Stubs,
    private readonly tokens: TokenSource,
    public token: string,
    private readonly silenceMs: number,
  ) {}

  /** Ends by an exception only. */
  async read(entries: Entry[], take: (frame: FollowResponse) => Promise<void>): Promise<void> {
    for (const entry of entries) entry.isOnStream = true;
    const request = {
      followId: this.followId,
      watches: entries.map((entry) => entry.place.watch(entry.id)),
    };
    this.expect(Math.min(OPENING_MS, this.silenceMs));
    try {
      const frames = this.open.events.follow(request, {
        headers: { authorization: `Bearer ${this.token}` },
        signal: this.aborting.signal,
        timeoutMs: MAX_AGE_MS,
      });
      for await (const frame of frames) {
        this.expect(this.silenceMs);
        if (!this.isOpen) this.opened();
        await take(frame);
        if (this.why) throw this.why;
      }
    } catch (thrown) {
      throw this.why ?? errorOf(thrown);
    } finally {
      clearTimeout(this.silence);
      this.aborting.abort();
    }
    throw connectionLost("the server ended the stream");
  }

  add(entry: Entry): void {
    if (entry.isOnStream) return;
    entry.isOnStream = true;
    this.change(
      create(SubscribeRequestSchema, {
        action: { case: "create", value: entry.place.watch(entry.id) },
      }),
    );
  }

  remove(entry: Entry): void {
    if (!entry.isOnStream) return;
    entry.isOnStream = false;
    this.change(
      create(SubscribeRequestSchema, { action: { case: "cancel", value: { watchId: entry.id } } }),
    );
  }

  /** Break off, as if the connection had broken. */
  end(why: AntiphonError): void {
    this.why ??= why;
    this.aborting.abort();
  }

  /** Say good-bye; the server forgets the stream at once. */
  cancel(): void {
    if (this.isOpen) {
      void this.signed.events.cancelFollow({ followId: this.followId }).catch(() => {});
    }
    this.end(connectionLost("the stream was closed"));
  }

  /** Ask for a sign of life, if there was none of late. */
  check(): void {
    if (!this.isOpen || this.isAsked || performance.now() - this.heardAt < LIVELY_MS) return;
    this.expect(Math.min(ANSWER_MS, this.silenceMs));
    this.isAsked = true;
    this.change(create(SubscribeRequestSchema, { action: { case: "progress", value: {} } }));
  }

  private expect(ms: number): void {
    clearTimeout(this.silence);
    this.isAsked = false;
    this.heardAt = performance.now();
    this.silence = setTimeout(() => this.end(connectionLost("the server was silent")), ms);
  }

  private opened(): void {
    this.isOpen = true;
    void this.renew();
    this.flush();
  }

  private change(action: SubscribeRequest): void {
    this.waiting.push(action);
    if (this.isOpen) this.flush();
  }

  /**
   * Changes are made in order, and those that wait for one before them together. One that fails
   * costs the connection: the next one has it all.
   */
  private flush(): void {
    this.changes = this.changes.then(async () => {
      const actions = this.waiting.splice(0, MOST_ACTIONS);
      if (this.aborting.signal.aborted || !actions.length) return;
      try {
        await this.signed.events.updateFollow({ followId: this.followId, actions });
      } catch (thrown) {
        this.end(connectionLost(`the stream could not be changed: ${errorOf(thrown).message}`));
      }
    });
  }

  /** The session's token may be renewed for a call, or in another tab: it is looked at often. */
  private async renew(): Promise<void> {
    const { signal } = this.aborting;
    while (!signal.aborted) {
      await sleep(Math.min(Math.max(this.tokens.usableForMs, LEAST_LOOK_MS), LOOK_MS), signal);
      if (signal.aborted) return;
      let token: string;
      try {
        token = await this.tokens.get();
      } catch {
        continue; // the old one may still work; the server ends the stream when it does not
      }
      if (token === this.token) continue;
      this.token = token;
      this.change(
        create(SubscribeRequestSchema, {
          action: { case: "refresh", value: { accessToken: token } },
        }),
      );
    }
  }
}

/** Why a watch or the stream is over. */
function ending(ended: WatchEnded): AntiphonError {
  const error = ended.error && errorOfStatus(ended.error);
  switch (ended.reason) {
    case CloseReason.CANCELLED:
      return error ?? new AntiphonError(Code.FailedPrecondition, "the watch was cancelled");
    case CloseReason.ACCESS_REMOVED:
      return error ?? new AntiphonError(Code.PermissionDenied, "access to the scope was removed");
    case CloseReason.SESSION_ENDED: {
      const expired = { reason: "TOKEN_EXPIRED" };
      return error ?? new AntiphonError(Code.Unauthenticated, "the session has ended", expired);
    }
    case CloseReason.HISTORY_LOST: {
      const trimmed = { reason: "CURSOR_TRIMMED" };
      return error ?? new AntiphonError(Code.OutOfRange, "the events are gone", trimmed);
    }
    case CloseReason.REJECTED: {
      const rejected = { reason: "REJECTED" };
      return error ?? new AntiphonError(Code.Unknown, "the watch was refused", rejected);
    }
    case CloseReason.SLOW_READER:
      return connectionLost("this client read too slowly");
    default:
      return connectionLost("the server is stopping", error?.retryAfterMs);
  }
}
