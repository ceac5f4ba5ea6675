import process from "node:process";
import { printable, truncated } from "../../text_width.ts";
import { canRewrite, columnsOf, type Output } from "./terminal.ts";

/** Tells a person that something is under way. */
export interface Progress {
  /** What it is at now: "connecting to gw.example.com:2222". */
  say(detail: string): void;
  /** Ends it: the line vanishes. Called before anything else is printed. */
  done(): void;
}

/** Where and when progress is shown. */
export interface ProgressOptions {
  readonly output?: Output;
  /** Milliseconds until a terminal shows it; 0 for work that blocks the process, such as making a key. */
  readonly delay?: number;
  /** Milliseconds until one line is written where there is no terminal. */
  readonly patience?: number;
}

/**
 * Shows that something is under way, on standard error: on a terminal one line with the seconds so far, "… Waiting for the daemon: connecting (3 s)";
 * elsewhere nothing, or one line once it has taken some seconds.
 *
 * @param what sentence case, no full stop: "Waiting for the daemon"
 */
export function startProgress(what: string, options: ProgressOptions = {}): Progress {
  const { output = process.stderr, delay = 400, patience = 5000 } = options;
  const begun = performance.now();
  return canRewrite(output) ? live(what, output, delay, begun) : quiet(what, output, patience);
}

/** Shows progress while `work` runs. */
export async function withProgress<T>(
  what: string,
  work: (progress: Progress) => T | Promise<T>,
  options?: ProgressOptions,
): Promise<T> {
  const progress = startProgress(what, options);
  try {
    return await work(progress);
  } finally {
    progress.done();
  }
}

function live(what: string, output: Output, delay: number, begun: number): Progress {
  let detail = "";
  let shown = false;
  const show = () => {
    const seconds = Math.floor((performance.now() - begun) / 1000);
    const line = `… ${what}${detail === "" ? "" : `: ${detail}`}`;
    const took = seconds === 0 ? "" : ` (${seconds} s)`;
    // The last column stays free: some terminals wrap when it is written.
    const room = (columnsOf(output) ?? 80) - 1 - took.length;
    output.write(`\r\x1b[K${truncated(line, room)}${took}`);
    shown = true;
  };
  const clear = () => {
    if (shown) output.write("\r\x1b[K");
    shown = false;
  };
  let ticking: ReturnType<typeof setInterval> | undefined;
  const begin = () => {
    show();
    ticking = setInterval(show, 1000);
    ticking.unref();
  };
  const waiting = setTimeout(begin, delay);
  waiting.unref();
  if (delay === 0) {
    clearTimeout(waiting);
    begin();
  }
  // Whatever ends the process, the line does not stay.
  process.on("exit", clear);
  return {
    say(text) {
      detail = printable(text);
      if (shown) show();
    },
    done() {
      clearTimeout(waiting);
      clearInterval(ticking);
      process.off("exit", clear);
      clear();
    },
  };
}

function quiet(what: string, output: Output, patience: number): Progress {
  let detail = "";
  const waiting = setTimeout(() => output.write(`${what}${detail === "" ? "" : `: ${detail}`} …\n`), patience);
  waiting.unref();
  return {
    say(text) {
      detail = printable(text);
    },
    done() {
      clearTimeout(waiting);
    },
  };
}
