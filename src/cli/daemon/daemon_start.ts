import { type ChildProcess } from "node:child_process";
import { join } from "node:path";
import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { formerWarnings, refuseFormer } from "../../config/former_settings.ts";
import { loadConfig } from "../../config/load.ts";
import { parseDuration } from "../../config/units.ts";
import { askCommand } from "../../control/ask_command.ts";
import type { Readiness } from "../../control/readiness.ts";
import { messageOf, PetitError } from "../../error.ts";
import { startDetached } from "../../platform/detached.ts";
import type { Role } from "../../platform/folder_lock.ts";
import { findDaemon, type PidFile } from "../../platform/pid_file.ts";
import { makeStateFolder } from "../../platform/state_file.ts";
import type { Invocation } from "../commands/command.ts";
import type { EarlyEnd } from "./daemon.ts";
import { type Progress, startProgress } from "../terminal/progress.ts";
import { configFile, textValue } from "../values.ts";

/** What `start --json` prints. */
export interface Started {
  readonly pid: number;
  /** The command port. */
  readonly listen: number;
  /** The port of the REST API; null while there is none. */
  readonly api: number | null;
  /** Where callers go. */
  readonly endpoints: readonly string[];
  readonly ready: boolean;
  /** Why it is not ready. */
  readonly missing: readonly string[];
  /** Tenants that are paused; left out where there are none. */
  readonly paused?: readonly string[];
  /** False where it was running before. */
  readonly started: boolean;
}

/** Milliseconds between two looks at a daemon that starts. */
const LOOK_EVERY = 50;

/** Milliseconds between two questions whether it is ready: each one is a probe of the service. */
const ASK_EVERY = 250;

/** Milliseconds for one such question. */
const ASK_FOR = 20_000;

/**
 * Starts a daemon in the background, or finds the one that runs already, and waits until it is ready.
 *
 * @param anew whether the one that runs has been started a moment ago
 * @returns exit code: 0 it is ready, 1 it is not
 * @throws PetitError where it does not start, or is not ready in time; it goes on trying then
 */
export async function startDaemon(role: Role, invocation: Invocation, anew = false): Promise<number> {
  const wait = waitingTime(invocation, "wait", "30s");
  const { config, file, folder, former } = loadConfig(configFile(invocation));
  refuseFormer(role, former);
  for (const warning of formerWarnings(role, former)) process.stderr.write(`petit: ${warning}\n`);
  const { logFolder } = config[role];
  const progress = startProgress(`Waiting for the ${role} to be ready`);
  let started: Started;
  let child: ChildProcess | undefined;
  try {
    const before = findDaemon(folder, role);
    const errors = join(logFolder === "" ? folder : logFolder, `${role}.stderr`);
    if (before === undefined) {
      if (logFolder !== "") makeStateFolder(logFolder);
      const verbose = invocation.values["verbose"] === true ? ["--verbose"] : [];
      child = await startDetached([role, "run", "--config", file, ...verbose], folder, errors);
    }
    started = await new Waiting(role, folder, errors, child, progress).untilReady(performance.now() + wait);
    if (anew) started = { ...started, started: true };
  } finally {
    progress.done();
    // From here on it goes on without this process.
    child?.stdout?.destroy();
  }
  print(role, started, invocation.values["json"] === true);
  if (started.ready) return 0;
  throw new PetitError(
    "not-ready",
    `The ${role} is running (process ${started.pid}), but not ready: ${started.missing.map(lowerFirst).join("; ")}`,
    {
      hint: `It goes on trying in the background. "petit ${role} status" says how it is, "petit ${role} stop" ends it`,
    },
  );
}

/** Reads a time that was typed, in milliseconds. @throws PetitError `usage` */
export function waitingTime(invocation: Invocation, option: string, fallback: string): number {
  const typed = textValue(invocation, option) ?? fallback;
  const time = parseDuration(typed);
  if (time !== undefined) return time;
  throw new PetitError("usage", `"${typed}" is not a time for --${option}`, {
    hint: "Wanted: a number with a unit, such as 500ms, 30s or 2m",
    exitCode: 2,
  });
}

class Waiting {
  readonly #role: Role;
  readonly #folder: string;
  readonly #errors: string;
  readonly #progress: Progress;
  #child: ChildProcess | undefined;
  #ended: string | undefined;
  #said = "";

  constructor(role: Role, folder: string, errors: string, child: ChildProcess | undefined, progress: Progress) {
    this.#role = role;
    this.#folder = folder;
    this.#errors = errors;
    this.#child = child;
    this.#progress = progress;
    child?.stdout?.on("data", (bytes: Buffer) => this.#said += bytes.toString());
    child?.once("close", (code, signal) => this.#ended = signal === null ? `with exit code ${code}` : `by ${signal}`);
  }

  async untilReady(deadline: number): Promise<Started> {
    for (;;) {
      const about = await this.#running(deadline);
      const readiness = await this.#ask(about, deadline);
      if (readiness === undefined) continue;
      const { ready, missing, endpoints, paused } = readiness;
      const late = performance.now() >= deadline;
      if (ready || late) {
        const { pid, listen, api } = this.#latest(about);
        const more = paused === undefined ? {} : { paused };
        return { pid, listen, api, endpoints, ready, missing, ...more, started: this.#child !== undefined };
      }
      this.#progress.say(lowerFirst(missing[0] ?? ""));
      await sleep(Math.min(ASK_EVERY, Math.max(0, deadline - performance.now())));
    }
  }

  /** The daemon that has the folder, as soon as it has said where it is reached. */
  async #running(deadline: number): Promise<PidFile> {
    for (;;) {
      // Looked at before the lock: a daemon that has ended gave it back before.
      const ended = this.#ended;
      const found = findDaemon(this.#folder, this.#role);
      if (found !== undefined && found !== "starting") {
        if (this.#child === undefined || found.pid === this.#child.pid) return found;
        // Somebody else has been quicker. This one sees that for itself, and is not left behind: it might get the lock after a stop.
        if (ended !== undefined) this.#child = undefined;
      }
      if (found === undefined && (ended !== undefined || this.#child === undefined)) throw this.#early(ended);
      if (performance.now() >= deadline) {
        throw new PetitError("not-ready", `The ${this.#role} has not come up in time`, {
          hint: `It goes on in the background: look into "${this.#errors}" and its log`,
        });
      }
      await sleep(LOOK_EVERY);
    }
  }

  async #ask({ listen, socket }: PidFile, deadline: number): Promise<Readiness | undefined> {
    try {
      return await askCommand<Readiness>(
        { role: this.#role, folder: this.#folder, listen, socket },
        "READY",
        Math.min(ASK_FOR, Math.max(1000, deadline - performance.now())),
      );
    } catch (error) {
      // Perhaps it is ending; then the next look at the lock tells.
      if (performance.now() < deadline) {
        await sleep(LOOK_EVERY);
        return undefined;
      }
      return { ready: false, missing: [messageOf(error)], endpoints: [] };
    }
  }

  #latest(about: PidFile): PidFile {
    const found = findDaemon(this.#folder, this.#role);
    return found === undefined || found === "starting" ? about : found;
  }

  /** Why the daemon ended before it was ready: in its own words, where it could say any. */
  #early(ended: string | undefined): PetitError {
    if (ended === undefined) {
      return new PetitError("start-failed", `The ${this.#role} has stopped while it was waited for`);
    }
    const said = earlyEnd(this.#said);
    if (said !== undefined) {
      const { code, message, hint, exitCode } = said;
      return new PetitError(code, message, {
        ...(hint === undefined ? {} : { hint }),
        exitCode: exitCode === 2 ? 2 : 1,
      });
    }
    return new PetitError("start-failed", `The ${this.#role} ended before it was ready, ${ended}`, {
      hint: `Look into "${this.#errors}" and its log, or run "petit ${this.#role}" in the foreground`,
    });
  }
}

function print(role: Role, started: Started, json: boolean): void {
  if (json) {
    process.stdout.write(`${JSON.stringify(started)}\n`);
    return;
  }
  if (!started.ready) return;
  const { pid, endpoints, paused = [] } = started;
  const lines = [
    started.started ? `The ${role} is running, process ${pid}` : `The ${role} was running already, process ${pid}`,
    ...endpoints.map((endpoint) =>
      role === "server" ? `Callers reach a registration at ${endpoint}` : `Callers reach it at ${endpoint}`
    ),
    ...(paused.length === 0 ? [] : [`PAUSED, so that nobody is let in: ${paused.join(", ")}`]),
  ];
  process.stdout.write(`${lines.join("\n")}\n`);
}

function lowerFirst(text: string): string {
  return text.charAt(0).toLowerCase() + text.slice(1);
}

/** What a daemon said of its early end, as far as it came to say it. */
function earlyEnd(said: string): EarlyEnd | undefined {
  try {
    return said === "" ? undefined : JSON.parse(said) as EarlyEnd;
  } catch {
    return undefined;
  }
}
