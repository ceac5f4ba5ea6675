import { type SocketOwner, titleOf } from "../../platform/socket_owner.ts";

/** What sshd calls the program of a session; a file of its own since OpenSSH 9.8. */
const PROGRAM = /^sshd(?:-session|-auth)?$/;

/** What a session calls itself. That which listens for clients has the path of its program after the colon, and "[listener]" behind it. */
const TITLE = /^sshd(?:-session)?: (?!\/|.*\[listener\])/;

/** Whether a process is one of sshd's for a client: not that which listens for clients, and no other program. */
export function isSshdSession({ pid, program }: SocketOwner): boolean {
  return PROGRAM.test(program) && TITLE.test(titleOf(pid));
}

/** Whether none of those that hold a socket is a session of sshd. What is not seen may be one: nobody but root sees those of another user. */
export function isForeign(holders: readonly SocketOwner[] | undefined): boolean {
  return holders !== undefined && !holders.some(isSshdSession);
}
