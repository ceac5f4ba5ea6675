import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { basename } from "node:path";
import { tableRows } from "./listening_sockets.ts";

/** The process that holds a socket. */
export interface SocketOwner {
  readonly pid: number;
  /** Name of its executable's file, without its folder. */
  readonly program: string;
  /** Effective. */
  readonly uid: number;
}

/**
 * Which processes hold a socket, by its inode (proc(5), /proc/PID/fd). Those of other users are seen by root only, and those that have changed
 * their user too: then nothing is found.
 */
export function ownersOf(inode: number): SocketOwner[] {
  return ownersOfAll([inode]).get(inode) ?? [];
}

/** The same for several at the price of one: that of a walk through all processes. */
export function ownersOfAll(inodes: readonly number[]): Map<number, SocketOwner[]> {
  const found = new Map<number, SocketOwner[]>();
  if (inodes.length === 0) return found;
  const wanted = new Map(inodes.map((inode) => [`socket:[${inode}]`, inode]));
  for (const pid of readdirSync("/proc").filter((name) => /^\d+$/.test(name))) {
    try {
      const held = new Set(readdirSync(`/proc/${pid}/fd`).map((fd) => wanted.get(linkOf(`/proc/${pid}/fd/${fd}`))));
      held.delete(undefined);
      if (held.size === 0) continue;
      const owner = identifyProcess(Number(pid));
      for (const inode of held as Set<number>) found.set(inode, [...found.get(inode) ?? [], owner]);
    } catch {
      // It is gone, or not ours to look into.
    }
  }
  return found;
}

/** Whether a process holds a socket now. */
export function holdsSocket(pid: number, inode: number): boolean {
  try {
    return readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === `socket:[${inode}]`);
  } catch {
    return false;
  }
}

/** What a process says it is, such as "sshd: somebody" (setproctitle(3)); "" where there is none. */
export function titleOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "latin1").replaceAll("\0", " ").trim();
  } catch {
    return "";
  }
}

/**
 * From where a process is connected to that has a socket: the address at the other end of its connection to `localPort`. Undefined where that is not
 * to be found out.
 */
export function remoteOfOwner(inode: number, localPort: number): string | undefined {
  const [owner] = ownersOf(inode);
  if (owner === undefined) return undefined;
  const held = new Set<string>();
  try {
    for (const fd of readdirSync(`/proc/${owner.pid}/fd`)) held.add(linkOf(`/proc/${owner.pid}/fd/${fd}`));
  } catch {
    return undefined;
  }
  for (const { socket, remoteHost } of tableRows()) {
    if (socket.port === localPort && held.has(`socket:[${socket.inode}]`)) return remoteHost;
  }
  return undefined;
}

/** @throws Error where there is no such process, or it is not ours to look into */
export function identifyProcess(pid: number): SocketOwner {
  const program = basename(readlinkSync(`/proc/${pid}/exe`)).replace(/ \(deleted\)$/, "");
  const [, uid = ""] = /^Uid:\s+\d+\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "latin1")) ?? [];
  return { pid, program, uid: Number(uid) };
}

/** The inode of the other end of a connection over loopback; undefined where it is not found. */
export function inodeOfPeer(localPort: number, remotePort: number): number | undefined {
  for (const row of tableRows()) {
    if (row.socket.port === remotePort && row.remotePort === localPort) return row.socket.inode;
  }
  return undefined;
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return "";
  }
}
