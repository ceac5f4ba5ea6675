import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { listeningSockets } from "../../platform/listening_sockets.ts";
import { holdsSocket, identifyProcess, ownersOf, type SocketOwner } from "../../platform/socket_owner.ts";
import { isSshdSession } from "./sshd_session.ts";

/** Milliseconds for a process to end that was asked to, and to be gone that was killed. */
const ASKED = 500;
const KILLED = 1000;

/** Milliseconds between two looks. */
const LOOK_EVERY = 25;

/** Whether a socket listens still. */
export function isListening(inode: number): boolean {
  return listeningSockets().some((socket) => socket.inode === inode);
}

/** Waits until a listening socket is gone. @returns whether it is */
export async function untilClosed(inode: number, milliseconds: number): Promise<boolean> {
  const until = performance.now() + milliseconds;
  while (isListening(inode)) {
    if (performance.now() >= until) return false;
    await sleep(LOOK_EVERY);
  }
  return true;
}

/**
 * Ends the sshd session that holds a listening socket: nothing but a session of sshd, of that user, and only where this process may see
 * and end it.
 *
 * @param spared a process that is left alone
 * @param holders processes that hold it, where they are known
 * @returns whether the socket is gone
 */
export async function endSession(
  inode: number,
  user: number,
  spared?: number,
  holders: readonly SocketOwner[] = ownersOf(inode),
): Promise<boolean> {
  const isSession = (owner: SocketOwner) =>
    owner.uid === user && owner.pid !== spared && owner.pid !== process.pid && isSshdSession(owner);
  const owners = holders.filter(isSession);
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (const { pid } of owners) {
      try {
        // The number may be another process's by now, be it one of sshd's.
        if (isSession(identifyProcess(pid)) && holdsSocket(pid, inode)) process.kill(pid, signal);
      } catch {
        // It is gone, or not ours to end.
      }
    }
    if (owners.length === 0) break;
    if (await untilClosed(inode, signal === "SIGTERM" ? ASKED : KILLED)) return true;
  }
  return !isListening(inode);
}
