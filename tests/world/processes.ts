import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import type { Scope } from "./world.ts";

export { freePort } from "./ports.ts";

/** How a program is started. */
export interface RunOptions {
  /** Given to the program on standard input; nothing by default. */
  readonly input?: string | Buffer;
  readonly env?: Record<string, string>;
  readonly cwd?: string;
  /** Whom it runs as; only root may choose. */
  readonly user?: { readonly uid: number; readonly gid: number } | undefined;
  /** Milliseconds after which it is killed. */
  readonly timeout?: number;
}

/** What became of a program. */
export interface Finished {
  /** Exit code; undefined where a signal ended it. */
  readonly code: number | undefined;
  readonly stdout: string;
  readonly stderr: string;
}

const TIMEOUT = 60_000;
const running = new Set<ChildProcess>();
// Whatever ends the tests, nothing stays behind.
process.on("exit", () => {
  for (const child of running) child.kill("SIGKILL");
});

/** Starts a program that ends with the test run at the latest. */
export function launch(program: string, args: string[], options: RunOptions = {}): ChildProcess {
  const child = spawn(program, args, {
    stdio: ["pipe", "pipe", "pipe"],
    env: { ...process.env, NO_COLOR: "1", LC_ALL: "C.UTF-8", ...options.env },
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...options.user,
  });
  running.add(child);
  child.on("close", () => running.delete(child));
  child.on("error", () => running.delete(child));
  // A program that does not read its input to the end is no fault.
  child.stdin?.on("error", () => {});
  child.stdin?.end(options.input ?? "");
  return child;
}

/** Runs a program to its end. Rejects when it cannot be started or takes too long. */
export function run(program: string, args: string[], options: RunOptions = {}): Promise<Finished> {
  return new Promise((resolve, reject) => {
    const child = launch(program, args, options);
    const stdout: Buffer[] = [];
    const stderr: Buffer[] = [];
    const texts = () => ({ stdout: Buffer.concat(stdout).toString(), stderr: Buffer.concat(stderr).toString() });
    const timer = setTimeout(() => {
      child.kill("SIGKILL");
      reject(new Error(`${program} took too long: ${JSON.stringify(texts())}`));
    }, options.timeout ?? TIMEOUT);
    child.stdout?.on("data", (bytes: Buffer) => stdout.push(bytes));
    child.stderr?.on("data", (bytes: Buffer) => stderr.push(bytes));
    child.on("error", (error) => {
      clearTimeout(timer);
      reject(error);
    });
    child.on("close", (code) => {
      clearTimeout(timer);
      resolve({ code: code ?? undefined, ...texts() });
    });
  });
}

/** Runs a program and returns what it printed. Rejects with all of its words where it fails. */
export async function output(program: string, args: string[], options: RunOptions = {}): Promise<string> {
  const { code, stdout, stderr } = await run(program, args, options);
  if (code !== 0) throw new Error(`${program} ${args.join(" ")} exited with ${code}:\n${stdout}\n${stderr}`);
  return stdout;
}

/** A program that keeps running, such as a database, and its lines on standard error. */
export class Background {
  readonly child: ChildProcess;
  /** Everything on standard error so far, line by line. */
  readonly lines: string[] = [];
  /** Settles with the exit code, or undefined where a signal ended it. */
  readonly exited: Promise<number | undefined>;
  readonly name: string;
  #ended = false;
  #rest = "";
  #waiting: { test: (line: string) => boolean; resolve: (line: string) => void; reject: (error: Error) => void }[] = [];

  constructor(program: string, args: string[], options: RunOptions = {}) {
    this.name = `${program} ${args.join(" ")}`;
    this.child = launch(program, args, options);
    this.child.stdout?.resume();
    this.child.stderr?.on("data", (bytes: Buffer) => {
      const lines = (this.#rest + bytes.toString()).split("\n");
      this.#rest = lines.pop() as string;
      for (const line of lines) this.#take(line);
    });
    this.exited = new Promise((resolve) => {
      const end = (code: number | undefined) => {
        this.#ended = true;
        if (this.#rest !== "") this.#take(this.#rest);
        for (const { reject } of this.#waiting) reject(this.#gone());
        resolve(code);
      };
      this.child.on("close", (code) => end(code ?? undefined));
      this.child.on("error", (error) => {
        this.lines.push(error.message);
        end(undefined);
      });
    });
  }

  /** The first line, past or to come, that passes `test`; rejects when the program ends before. */
  line(test: (line: string) => boolean): Promise<string> {
    const past = this.lines.find(test);
    if (past !== undefined) return Promise.resolve(past);
    if (this.#ended) return Promise.reject(this.#gone());
    return new Promise((resolve, reject) => this.#waiting.push({ test, resolve, reject }));
  }

  get alive(): boolean {
    return !this.#ended;
  }

  /** Sends a signal and waits for the end; a program that does not heed it within 20 s is killed, and that is an error. */
  async stop(signal: NodeJS.Signals = "SIGTERM"): Promise<number | undefined> {
    if (this.#ended) return await this.exited;
    let killed = false;
    const timer = setTimeout(() => {
      killed = true;
      this.child.kill("SIGKILL");
    }, 20_000);
    this.child.kill(signal);
    const code = await this.exited;
    clearTimeout(timer);
    if (killed) throw new Error(`${this.name} did not end after ${signal}`);
    return code;
  }

  #take(line: string): void {
    this.lines.push(line);
    this.#waiting = this.#waiting.filter(({ test, resolve }) => {
      if (!test(line)) return true;
      resolve(line);
      return false;
    });
  }

  #gone(): Error {
    return new Error(`${this.name} has ended:\n${this.lines.slice(-20).join("\n")}`);
  }
}

/** Starts a program that is stopped with the test. */
export function background(scope: Scope, program: string, args: string[], options: RunOptions = {}): Background {
  const started = new Background(program, args, options);
  scope.after(() => started.stop());
  return started;
}
