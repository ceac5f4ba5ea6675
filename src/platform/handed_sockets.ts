import { closeSync } from "node:fs";
import type { Server } from "node:net";
import process from "node:process";

/**
 * Listening sockets that a process hands on to the one that takes its place: the kernel's queue of connections is the same
 * before and after, so that no caller is refused in between. A child process inherits them as file descriptors.
 */

/** Those of this process, by name. */
const own = new Map<string, Server>();

/** Those that were inherited and that nobody has taken yet. */
const inherited = new Map<string, number>();

/** A listening socket that can be handed on. */
export interface HandedSocket {
  readonly name: string;
  readonly fd: number;
}

/** Whether sockets can be handed on here at all: Windows has no descriptors that a child inherits. */
export const canHandSockets = process.platform !== "win32";

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
    return server.listening && fd !== undefined && fd >= 0 ? [{ name, fd }] : [];
  });
}

/** @param names of the sockets that this process has inherited, as the descriptors from `first` on */
export function inheritSockets(names: readonly string[], first: number): void {
  for (const [index, name] of names.entries()) inherited.set(name, first + index);
}

/** The descriptor of an inherited socket, for whoever listens on it. */
export function takeInherited(name: string): number | undefined {
  const fd = inherited.get(name);
  inherited.delete(name);
  return fd;
}

/** Closes what nobody listens on any more: the settings have changed since, or a registration is gone. */
export function closeInherited(): void {
  for (const fd of inherited.values()) {
    try {
      closeSync(fd);
    } catch {
      // It is gone already.
    }
  }
  inherited.clear();
}
