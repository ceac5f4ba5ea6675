import { type ChildProcess, spawn } from "node:child_process";
import process from "node:process";
import { stripVTControlCharacters } from "node:util";
import type { Scope } from "./world.ts";

const TIMEOUT = 30_000;

/** A shell on a terminal of its own, which util-linux' `script` makes: what is typed and what a person sees. */
export class ShellTerminal {
  readonly #child: ChildProcess;
  #seen = "";
  #waiting: (() => void)[] = [];
  #ended = false;

  constructor(scope: Scope, command: string, cwd: string, env: Record<string, string>) {
    this.#child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
      stdio: ["pipe", "pipe", "inherit"],
      cwd,
      env: { ...process.env, TERM: "xterm", ...env },
    });
    this.#child.stdout?.on("data", (bytes: Buffer) => {
      this.#seen += bytes.toString();
      this.#wake();
    });
    const closed = new Promise<void>((resolve) =>
      this.#child.on("close", () => {
        this.#ended = true;
        this.#wake();
        resolve();
      })
    );
    scope.after(async () => {
      // The terminal goes with it, and the shell with the terminal.
      this.#child.kill("SIGKILL");
      await closed;
    });
  }

  /** Everything that the terminal showed since it was last waited for, without escape sequences. */
  get text(): string {
    return stripVTControlCharacters(this.#seen).replaceAll("\x07", "");
  }

  type(keys: string): void {
    this.#child.stdin?.write(keys);
  }

  /** Waits until the terminal has shown what is looked for, and forgets what it has shown so far. */
  async until(wanted: RegExp): Promise<string> {
    let late = false;
    const timer = setTimeout(() => {
      late = true;
      this.#wake();
    }, TIMEOUT);
    try {
      while (!wanted.test(this.text)) {
        if (this.#ended || late) throw new Error(`The shell did not show ${wanted}, but ${JSON.stringify(this.text)}`);
        await new Promise<void>((resolve) => this.#waiting.push(resolve));
      }
      return this.text;
    } finally {
      clearTimeout(timer);
      this.#seen = "";
    }
  }

  #wake(): void {
    for (const resolve of this.#waiting.splice(0)) resolve();
  }
}
