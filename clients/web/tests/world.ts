// The world that the tests run in: a server behind Envoy, and who changes it.

import { type Socket, connect, createServer } from "node:net";
import { Session } from "../src/antiphon";

/** Where the pages and the RPCs are. */
export const PAGE = process.env["ANTIPHON_PAGE"] ?? "";
const CONTROL = process.env["ANTIPHON_CONTROL"] ?? "";

/** Ask the world for something; what it says. */
export async function ask(what: string, body: unknown = {}): Promise<string> {
  const told = typeof body === "string" ? body : JSON.stringify(body);
  const answer = await fetch(`${CONTROL}/${what}`, { method: "POST", body: told });
  if (!answer.ok) throw new Error(`${what}: ${await answer.text()}`);
  return answer.text();
}

/** Somebody new, who may be called as you wish. */
export async function newPerson(displayName = ""): Promise<{ name: string; password: string; userId: string }> {
  return JSON.parse(await ask("user", { displayName }));
}

/** A session of somebody new. */
export async function newSession(baseUrl = PAGE, ...more: NewSession): Promise<Session> {
  const person = await newPerson();
  const session = new Session({ baseUrl }, "test", undefined, ...more);
  await session.logInByPassword(person.name, person.password);
  return session;
}

type Tail<All extends unknown[]> = All extends [unknown, unknown, unknown, ...infer Rest] ? Rest : [];
type NewSession = Tail<Required<ConstructorParameters<typeof Session>>> extends infer More extends
  unknown[]
  ? Partial<More>
  : never;

/** Wait for something. */
export async function until(holds: () => boolean, ms = 15_000): Promise<void> {
  const end = Date.now() + ms;
  while (!holds()) {
    if (Date.now() > end) throw new Error(`it never came: ${holds}`);
    await new Promise((done) => setTimeout(done, 10));
  }
}

/** A TCP proxy before the page, whose connections can be cut or silenced. */
export class Proxy {
  private readonly sockets = new Set<Socket>();
  private isSilent = false;
  private isShut = false;
  private readonly server = createServer((client) => this.carry(client));
  url = "";
  accepted = 0;

  async start(): Promise<this> {
    await new Promise<void>((done) => this.server.listen(0, "127.0.0.1", done));
    this.url = `http://127.0.0.1:${(this.server.address() as { port: number }).port}`;
    return this;
  }

  /** Break every connection off. */
  cut(): void {
    for (const socket of this.sockets) socket.resetAndDestroy();
  }

  /** Carry nothing any more on the connections that there are. */
  silence(): void {
    // A pipe would go on by itself once the other side has drained.
    for (const socket of this.sockets) socket.unpipe().pause();
    this.isSilent = true;
  }

  /** New connections work again. */
  speak(): void {
    this.isSilent = false;
    this.isShut = false;
  }

  /** Break every connection off, and take none. */
  shut(): void {
    this.isShut = true;
    this.cut();
  }

  stop(): void {
    this.server.close();
    this.cut();
  }

  private carry(client: Socket): void {
    if (this.isShut) return void client.resetAndDestroy();
    this.accepted += 1;
    const { hostname, port } = new URL(PAGE);
    const server = connect(Number(port), hostname);
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.sockets.add(socket);
      socket.on("error", () => {});
      socket.on("close", () => {
        this.sockets.delete(socket);
        other.destroy();
      });
      if (this.isSilent) socket.pause();
      else socket.pipe(other);
    }
  }
}
