import { readFileSync } from "node:fs";
import { availableParallelism, cpus, release, totalmem } from "node:os";
import process from "node:process";
import { must, run } from "./processes.ts";
import type { Programs } from "./programs.ts";

/** Where and with what was measured: each line of the heading. */
export type Machine = Readonly<Record<string, string>>;

/** @param programs undefined where only petit itself is measured */
export async function describeMachine(executable: string, programs: Programs | undefined): Promise<Machine> {
  return {
    date: new Date().toISOString().slice(0, 16).replace("T", " ") + " UTC",
    machine: `${availableParallelism()} cores, ${cpus()[0]?.model.trim()}, ${(totalmem() / 1e9).toFixed(0)} GB`,
    system: `Linux ${release()}, ${distribution()}`,
    petit: (await must([executable, "version"])).trim(),
    bun: `${process.versions["bun"]}`,
    ...(programs === undefined ? {} : {
      OpenSSH: firstLine((await run([programs.ssh, "-V"])).stderr),
      nginx: firstLine((await run([programs.nginx, "-v"])).stderr).replace("nginx version: ", ""),
      wrk: firstLine((await run([programs.wrk, "-v"])).stdout).split(" [")[0] ?? "",
      curl: firstLine(await must([programs.curl, "--version"])).split(" (")[0] ?? "",
    }),
  };
}

function distribution(): string {
  try {
    return /^PRETTY_NAME="?(.*?)"?$/m.exec(readFileSync("/etc/os-release", "utf8"))?.[1] ?? "";
  } catch {
    return "unknown distribution";
  }
}

function firstLine(text: string): string {
  return text.split("\n")[0]?.trim() ?? "";
}
