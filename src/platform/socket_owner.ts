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
  const wanted = `socket:[${inode}]`;
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).flatMap((pid) => {
    try {
      const holds = readdirSync(`/proc/${pid}/fd`).some((fd) => linkOf(`/proc/${pid}/fd/${fd}`) === wanted);
      return holds ? [identifyProcess(Number(pid))] : [];
    } catch {
      // It is gone, or not ours to look into.
      return [];
    }
  });
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
