import { readdirSync, readFileSync, readlinkSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { cpuSeconds, memoryOf } from "../../../scripts/bench/proc.ts";

/** What a process holds, as Linux tells it. */
export interface ProcessState {
  /** Resident memory in MiB. */
  readonly memory: number;
  readonly descriptors: number;
  /** TCP ports that it listens on. */
  readonly listeners: readonly number[];
}

export function stateOf(pid: number): ProcessState {
  return {
    memory: memoryOf([pid]).resident / 1024 ** 2,
    descriptors: descriptorsOf(pid),
    listeners: listenersOf(pid),
  };
}

/** Parts of one processor that a process uses while `milliseconds` pass: what timers there are show here. */
export async function idleShare(pid: number, milliseconds: number): Promise<number> {
  const before = cpuSeconds([pid]);
  await sleep(milliseconds);
  return (cpuSeconds([pid]) - before) / (milliseconds / 1000);
}

const LISTEN = "0A";

/** What the descriptors of a process lead to. */
function targetsOf(pid: number): string[] {
  return readdirSync(`/proc/${pid}/fd`).flatMap((name) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${name}`)];
    } catch {
      // It was closed in between.
      return [];
    }
  });
}

/** A database counts once: SQLite keeps a descriptor that it may not close yet for the next time it opens the file. */
function descriptorsOf(pid: number): number {
  const targets = targetsOf(pid);
  const databases = targets.filter((target) => target.endsWith(".db"));
  return targets.length - databases.length + new Set(databases).size;
}

/** proc(5): the sockets of all processes are in /proc/net/tcp, those of one are links under its fd. */
function listenersOf(pid: number): number[] {
  const own = new Set(targetsOf(pid).map((target) => /^socket:\[(\d+)\]$/.exec(target)?.[1]));
  const lines = ["tcp", "tcp6"].flatMap((file) => readFileSync(`/proc/${pid}/net/${file}`, "utf8").split("\n"));
  return lines
    .map((line) => line.trim().split(/\s+/))
    .filter(([, , , state, , , , , , inode]) => state === LISTEN && inode !== undefined && own.has(inode))
    .map(([, local]) => Number.parseInt(local?.split(":")[1] ?? "", 16))
    .sort((one, other) => one - other);
}
