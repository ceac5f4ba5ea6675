import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync, readFileSync } from "node:fs";
import process from "node:process";
import { withDescendants } from "./proc.ts";

/** What a program said that has ended. */
export interface Finished {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Milliseconds that a process is given to end when asked to, before it is made to. */
const PATIENCE = 5000;

const running = new Set<ChildProcess>();

// Whatever way this process ends, nothing that it started stays behind.
process.on("exit", () => {
  for (const child of [...running].reverse()) kill(treeOf(child), "SIGKILL");
});

/** A program that runs in the background until it is stopped. */
export class Daemon {
  readonly #child: ChildProcess;
  readonly #log: string;

  /** @param log the file that takes its output */
  constructor(command: readonly string[], log: string) {
    this.#log = log;
    const output = openSync(log, "a");
    this.#child = launch(command, ["ignore", output, output]);
    closeSync(output);
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  /** It and all that it started. */
  get pids(): number[] {
    return withDescendants(this.pid);
  }

  /** Waits until `test` is true. @throws Error that quotes the log, where the program ends or that takes too long */
  async until(what: string, test: () => boolean | Promise<boolean>, timeout = 15_000): Promise<void> {
    const begun = performance.now();
    let last: unknown;
    while (performance.now() - begun < timeout && !hasEnded(this.#child)) {
      try {
        if (await test()) return;
      } catch (error) {
        last = error;
      }
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
    const why = hasEnded(this.#child) ? "it has ended" : `not within ${timeout / 1000} s`;
    throw new Error(`${what}: ${why}. Its log:\n${this.#tail()}`, { cause: last });
  }

  async stop(): Promise<void> {
    const pids = treeOf(this.#child);
    if (pids.length === 0) return;
    const ended = new Promise<void>((resolve) => this.#child.once("exit", () => resolve()));
    this.#child.kill("SIGTERM");
    const timer = setTimeout(() => kill(pids, "SIGKILL"), PATIENCE);
    await ended;
    clearTimeout(timer);
  }

  #tail(): string {
    return readFileSync(this.#log, "utf8").trimEnd().split("\n").slice(-15).join("\n");
  }
}

/** Runs a program to its end. Both outputs are kept, or `onOutput` takes the standard one. */
export function run(command: readonly string[], onOutput?: (bytes: Buffer) => void): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = launch(command, ["ignore", "pipe", "pipe"]);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    child.stdout?.on("data", onOutput ?? ((bytes: Buffer) => stdout.push(bytes)));
    child.stderr?.on("data", (bytes: Buffer) => stderr.push(bytes));
    child.once("error", reject);
    child.once("close", (code) => {
      resolve({ code, stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    });
  });
}

/** The same, for a program that must succeed; returns its standard output. @throws Error that quotes what it said */
export async function must(command: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await run(command);
  if (code === 0) return stdout;
  throw new Error(`"${command.join(" ")}" ended with ${code}:\n${stderr || stdout}`);
}

function launch([program = "", ...args]: readonly string[], stdio: ("ignore" | "pipe" | number)[]): ChildProcess {
  const child = spawn(program, args, { stdio });
  running.add(child);
  child.once("exit", () => running.delete(child));
  child.once("error", () => running.delete(child));
  return child;
}

function hasEnded(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null;
}

function treeOf(child: ChildProcess): number[] {
  return child.pid === undefined || hasEnded(child) ? [] : withDescendants(child.pid);
}

function kill(pids: readonly number[], signal: NodeJS.Signals): void {
  for (const pid of pids) {
    try {
      process.kill(pid, signal);
    } catch {
      // It has ended by itself.
    }
  }
}
