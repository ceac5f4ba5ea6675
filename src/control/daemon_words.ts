import { PetitError } from "../error.ts";
import type { LogLevel } from "../observe/log.ts";
import type { CommandWords } from "./command_words.ts";
import type { DaemonFacilities } from "./daemon_facilities.ts";
import type { Readiness } from "./readiness.ts";

/** What the command port of either daemon needs. */
export interface DaemonWordsParts extends Pick<DaemonFacilities, "role" | "reload" | "setLevel" | "stop" | "restart"> {
  /** This process. */
  readonly pid: number;
  /** Settles when the daemon has stopped, but for its command port. */
  readonly stopped: Promise<void>;
  readiness(): Readiness | Promise<Readiness>;
}

/** The levels of the log, from the one that tells most. */
export const LOG_LEVELS: readonly LogLevel[] = ["trace", "debug", "info", "warn", "error", "silent"];

/** What 0.6.x called some levels. */
export const FORMER: ReadonlyMap<string, LogLevel> = new Map([["verbose", "debug"], ["silly", "trace"]]);

/** The words of both command ports. */
export function daemonWords(parts: DaemonWordsParts): CommandWords {
  const { role, pid, stopped, stop, reload, setLevel, readiness, restart } = parts;
  return {
    STOP: {
      silent: true,
      async run([only]) {
        refuseOther(role, pid, only);
        stop();
        await stopped;
        return { success: true, status: "stopped" };
      },
    },
    RELOAD: {
      silent: true,
      run: async () => ({ success: true, ...await reload() }),
    },
    LOG: {
      run([typed = "debug"]) {
        const level = logLevel(FORMER.get(typed) ?? typed);
        setLevel(level);
        return { success: true, level };
      },
    },
    RESTART: {
      async run([only]) {
        refuseOther(role, pid, only);
        return { success: true, ...await restart() };
      },
    },
    READY: { reads: true, run: () => readiness() },
  };
}

/** A command that has found a process by its pid file names it: the port may have passed on to another daemon since. */
function refuseOther(role: string, pid: number, only: string | undefined): void {
  if (only === undefined || only === String(pid)) return;
  throw new PetitError("other-process", `This is the ${role} with process id ${pid}, and not ${only.slice(0, 20)}`);
}

/** The level that somebody typed. @throws PetitError `level-unknown`, with exit code 2 */
export function logLevel(typed: string): LogLevel {
  const level = LOG_LEVELS.find((one) => one === typed);
  if (level !== undefined) return level;
  throw new PetitError("level-unknown", `"${typed.slice(0, 100)}" is not a level of the log`, {
    hint: `Wanted: ${LOG_LEVELS.join(", ")}`,
    exitCode: 2,
  });
}
