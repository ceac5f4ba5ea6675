import { closeSync } from "node:fs";
import type { AddressInfo, Server } from "node:net";
import process from "node:process";

/**
 * Listening sockets that a process hands on to the one that takes its place: the kernel's queue of connections is the same
 * before and after, so that no caller is refused in between. A child process inherits them as file descriptors.
 */

/** Those of this process, by name. */
const own = new Map<string, Server>();

/** A listening socket that can be handed on. */
export interface HandedSocket {
  readonly name: string;
  readonly port: number;
  readonly fd: number;
}

/** Those that were inherited and that nobody has taken yet. */
const inherited = new Map<string, HandedSocket>();

/** What is to be done when this process may accept connections, and for whom. */
let waiting = new Map<unknown, { readonly fd: number | undefined; begin(): unknown }>();

/** Whether another process still accepts them. */
let handedLater = false;

/** Whether sockets can be handed on here at all: Windows has no descriptors that a child inherits, and Deno does not tell them. */
export const canHandSockets = process.platform !== "win32" && !("deno" in process.versions);

/** Takes note of a server that listens, until it is closed. */
export function noteSocket(name: string, server: Server): void {
  own.set(name, server);
  server.once("close", () => {
    if (own.get(name) === server) own.delete(name);
  });
}

/** What a successor is to inherit. */
export function ownSockets(): HandedSocket[] {
  return [...own].flatMap(([name, server]) => {
    const fd = (server as Server & { _handle?: { fd?: number } | null })._handle?.fd;
    const { port } = server.address() as AddressInfo | null ?? { port: 0 };
    return server.listening && fd !== undefined && fd >= 0 ? [{ name, port, fd }] : [];
  });
}

/** @param sockets that this process has inherited, as the descriptors from `first` on */
export function inheritSockets(sockets: readonly Omit<HandedSocket, "fd">[], first: number): void {
  handedLater = true;
  for (const [index, { name, port }] of sockets.entries()) inherited.set(name, { name, port, fd: first + index });
}

/** An inherited socket, for whoever listens on it. */
export function takeInherited(name: string): HandedSocket | undefined {
  const socket = inherited.get(name);
  inherited.delete(name);
  return socket;
}

/** Has `begin` called when this process may accept connections on an inherited socket; until then the process before does. */
export function listenLater(server: Server, { fd }: HandedSocket, begin: () => unknown): void {
  waiting.set(server, { fd, begin });
}

/** Gives a socket up on which `server` does not listen yet. False where it does, or has none. */
export function giveUpInherited(server: Server): boolean {
  const fd = waiting.get(server)?.fd;
  if (fd === undefined) return false;
  waiting.delete(server);
  closeSync(fd);
  return true;
}

/** Calls back when this process accepts connections: now, unless it has a predecessor. */
export function whenAccepting(begin: () => unknown): void {
  if (handedLater) waiting.set(begin, { fd: undefined, begin });
  else begin();
}

/** Accepts connections on all inherited sockets. */
export async function acceptInherited(): Promise<void> {
  const all = waiting;
  waiting = new Map();
  handedLater = false;
  await Promise.all([...all.values()].map(({ begin }) => begin()));
}

/** Closes what nobody listens on any more: the settings have changed since, or a registration is gone. */
export function closeInherited(): void {
  for (const { fd } of inherited.values()) {
    try {
      closeSync(fd);
    } catch {
      // It is gone already.
    }
  }
  inherited.clear();
}
