import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { listeningSockets } from "../../platform/listening_sockets.ts";
import { identifyProcess, ownersOf, type SocketOwner } from "../../platform/socket_owner.ts";

/** What sshd calls the program of a session; a file of its own since OpenSSH 9.8. */
const SSHD = /^sshd(?:-session|-auth)?$/;

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
 * Ends the sshd session that holds a listening socket: nothing but a process of sshd, of one of these users, and only where this process may see
 * and end it.
 *
 * @param spared a process that is left alone
 * @returns whether the socket is gone
 */
export async function endSession(inode: number, uids: readonly number[], spared?: number): Promise<boolean> {
  const isSession = ({ pid, program, uid }: SocketOwner) =>
    SSHD.test(program) && uids.includes(uid) && pid !== spared && pid !== process.pid;
  const owners = ownersOf(inode).filter(isSession);
  for (const signal of ["SIGTERM", "SIGKILL"] as const) {
    for (const { pid } of owners) {
      try {
        // The number may be another process's by now.
        if (isSession(identifyProcess(pid)) && isListening(inode)) process.kill(pid, signal);
      } catch {
        // It is gone, or not ours to end.
      }
    }
    if (owners.length === 0) break;
    if (await untilClosed(inode, signal === "SIGTERM" ? ASKED : KILLED)) return true;
  }
  return !isListening(inode);
}
