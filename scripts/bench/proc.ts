// What Linux tells about processes under /proc (proc(5)).
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** Memory of a process, or of several together, in bytes. */
export interface Memory {
  /** Resident now. Pages that several processes share count for each of them. */
  readonly resident: number;
  /** The most that was resident at any time. */
  readonly peak: number;
}

let ticksPerSecond: number | undefined;

/** Memory of these processes together; those that have ended count nothing. */
export function memoryOf(pids: readonly number[]): Memory {
  const all = pids.map((pid) => read(`/proc/${pid}/status`));
  return {
    resident: sum(all.map((text) => kibibytes(text, "VmRSS"))),
    peak: sum(all.map((text) => kibibytes(text, "VmHWM"))),
  };
}

/** Processor time that these processes have used so far, in seconds, in user mode and in the kernel for them. */
export function cpuSeconds(pids: readonly number[]): number {
  ticksPerSecond ??= Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));
  const ticks = pids.map((pid) => {
    const fields = afterName(read(`/proc/${pid}/stat`));
    return Number(fields[11] ?? 0) + Number(fields[12] ?? 0);
  });
  return sum(ticks) / ticksPerSecond;
}

/** Processor time of a process and all that it started, with those of them that have ended, in ticks. */
export function timesWithEnded(pid: number): number {
  return sum(
    withDescendants(pid).map((member) => sum(afterName(read(`/proc/${member}/stat`)).slice(11, 15).map(Number))),
  );
}

/** What all processors did since the machine started, in ticks: altogether, for programs, and withheld by the host. */
export function readMachineTimes(): { all: number; busy: number; stolen: number } {
  const times = (/^cpu +(.*)$/m.exec(read("/proc/stat"))?.[1] ?? "").split(" ").map(Number);
  const [user = 0, nice = 0, system = 0, , , hard = 0, soft = 0, stolen = 0] = times;
  return { all: sum(times.slice(0, 8)), busy: user + nice + system + hard + soft, stolen };
}

/** A process and all that it started, directly or not, parents first. */
export function withDescendants(pid: number): number[] {
  const children = new Map<number, number[]>();
  for (const name of readdirSync("/proc")) {
    if (!/^\d+$/.test(name)) continue;
    const parent = Number(afterName(read(`/proc/${name}/stat`))[1] ?? 0);
    children.set(parent, [...children.get(parent) ?? [], Number(name)]);
  }
  const tree = [pid];
  for (const member of tree) tree.push(...children.get(member) ?? []);
  return tree;
}

/** The fields of a stat file after the name, which may hold spaces and parentheses itself; the first is the state. */
function afterName(stat: string): string[] {
  return stat.slice(stat.lastIndexOf(")") + 2).split(" ");
}

function kibibytes(status: string, name: string): number {
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB`, "m").exec(status)?.[1] ?? 0) * 1024;
}

function read(file: string): string {
  try {
    return readFileSync(file, "utf8");
  } catch {
    return "";
  }
}

function sum(numbers: number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
