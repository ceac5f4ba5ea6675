import type { ChildProcess } from "node:child_process";
import process from "node:process";
import type { Writable } from "node:stream";
import { setTimeout as sleep } from "node:timers/promises";
import { PetitError } from "../../error.ts";
import { startSelf } from "../../platform/detached.ts";
import type { Role } from "../../platform/folder_lock.ts";
import { canHandSockets, ownSockets } from "../../platform/handed_sockets.ts";
import type { EarlyEnd } from "./daemon.ts";

/**
 * How a daemon hands over to the process that takes its place. The successor is its child, and inherits the listening sockets. They talk over
 * its standard input and output, a line each way:
 *
 * | predecessor                               | successor |
 * |-------------------------------------------|-----------|
 * | {"version", "sockets": names of descriptors 4, 5, …, "ports": those that it gives back} | reads the config, opens the registry, and is ready to listen on the same sockets |
 * |                                           | "prepared" and its process id, or why it cannot, and ends: then nothing has changed |
 * | gives ports and lock back, a client its tunnel too: "go" | takes the lock, accepts connections, and is the daemon |
 * |                                           | "here": the service manager, if any, has been told; or its end: then the predecessor goes on |
 * | takes no new work, goes on with what it has, and ends | |
 */

/**
 * The version of this talk, in its first line. A successor that knows another one ends with `handover-unsupported`, and the daemon is stopped
 * and started instead. Predecessors of before say none: that is 1.
 */
export const HAND_OVER_VERSION = 1;

/** Tells a process that it is a successor. */
export const SUCCESSOR_MARK = "PETIT_SUCCESSOR";

/** The first inherited descriptor; the one before may be its standard input on the way (detached.ts). */
export const FIRST_SOCKET = 4;

/** Milliseconds that a successor has to get ready. */
const PREPARED_WITHIN = 30_000;

/** Milliseconds for it to take over once it may. */
const HERE_WITHIN = 15_000;

export interface Succession {
  readonly role: Role;
  readonly configFile: string;
  readonly folder: string;
  readonly verbose: boolean;
  /** Ports of 127.0.0.1 on which this process listens until the successor takes over, and which it gives back then. */
  readonly ports: readonly number[];
}

/** What a successor is told first. */
export interface Handed {
  readonly version?: number;
  /** Of the descriptors from {@link FIRST_SOCKET} on. */
  readonly sockets: readonly { readonly name: string; readonly port: number }[];
  readonly ports: readonly number[];
}

/** The process that is to take this one's place, and is ready to. */
export interface Successor {
  readonly pid: number;
  /**
   * This process has given the lock back. Settles when the successor has taken it, or has gone.
   *
   * @returns whether it has taken over, or at least lives
   */
  go(): Promise<boolean>;
  /** It is not needed: it ends. */
  cancel(): void;
}

/**
 * Starts a successor and waits until it is ready.
 *
 * @throws PetitError `handover-unsupported`, or why the successor cannot start; this process goes on as before then
 */
export async function startSuccessor({ role, configFile, folder, verbose, ports }: Succession): Promise<Successor> {
  const reason = obstacle();
  if (reason !== undefined) throw new PetitError("handover-unsupported", `The ${role} cannot hand over: ${reason}`);
  const sockets = ownSockets();
  const args = [role, "run", "--config", configFile, ...(verbose ? ["--verbose"] : [])];
  // systemd waits only for the end of a main process that is its own child: another one it kills at once when it is to stop.
  const orphaned = process.env["NOTIFY_SOCKET"] !== undefined;
  const input = orphaned
    ? ["ignore", "pipe", "inherit", "pipe"] as const
    : ["pipe", "pipe", "inherit", "ignore"] as const;
  const child = await startSelf(
    args,
    folder,
    { [SUCCESSOR_MARK]: "1" },
    [...input, ...sockets.map(({ fd }) => fd)],
    orphaned,
  );
  const orders = child.stdio[orphaned ? 3 : 0] as Writable;
  // A successor that has ended tells by its end.
  orders.on("error", () => {});
  orders.write(
    `${
      JSON.stringify(
        {
          version: HAND_OVER_VERSION,
          sockets: sockets.map(({ name, port }) => ({ name, port })),
          ports,
        } satisfies Handed,
      )
    }\n`,
  );
  const talk = listenTo(role, child);
  const prepared = await Promise.race([
    talk.heard(/^prepared (\d+)$/m),
    sleep(PREPARED_WITHIN, undefined, { ref: false }),
  ]);
  if (prepared === undefined) {
    // It ends when there is nobody to take over from.
    orders.end();
    throw new PetitError("start-failed", `The new ${role} did not get ready within ${PREPARED_WITHIN / 1000} s`);
  }
  return {
    pid: Number(prepared),
    async go() {
      orders.end("go\n");
      const here = talk.heard(/^(here)$/m).then(() => true, () => false);
      // One that takes its time has the folder, or is about to have it.
      const taken = await Promise.race([here, sleep(HERE_WITHIN, true, { ref: false })]);
      child.unref();
      orders.destroy();
      child.stdout?.destroy();
      return taken;
    },
    cancel() {
      orders.end();
      child.unref();
    },
  };
}

/** What keeps this process from having a successor. */
function obstacle(): string | undefined {
  if (!canHandSockets) return "this system has no sockets that another process can inherit";
  if (process.pid === 1) return "it is the first process of a container, which ends with it";
  // systemd takes the end of the process that it started for the end of the service, unless it is told of another one.
  if (process.env["INVOCATION_ID"] !== undefined && process.env["NOTIFY_SOCKET"] === undefined) {
    return "its service definition does not let it (NotifyAccess=all)";
  }
  return undefined;
}

/** What a successor says; it rejects when the successor has ended before. */
function listenTo(role: Role, child: ChildProcess): { heard(line: RegExp): Promise<string> } {
  let said = "";
  let onSaid = () => {};
  child.stdout?.on("data", (bytes: Buffer) => {
    said += bytes.toString();
    onSaid();
  });
  const ended = new Promise<never>((_, reject) =>
    child.once("close", (code, signal) => reject(early(role, said, signal ?? `exit code ${code}`)))
  );
  ended.catch(() => {});
  return {
    heard(line) {
      const heard = new Promise<string>((resolve) => {
        onSaid = () => {
          const found = line.exec(said)?.[1];
          if (found !== undefined) resolve(found);
        };
        onSaid();
      });
      return Promise.race([heard, ended]);
    },
  };
}

function early(role: Role, said: string, how: string): PetitError {
  try {
    const { code, message, hint } = JSON.parse(said) as EarlyEnd;
    return new PetitError(code, message, hint === undefined ? {} : { hint });
  } catch {
    return new PetitError("start-failed", `The new ${role} ended before it was ready, with ${how}`, {
      hint: `Its log says more; run "petit ${role}" in the foreground to see it at once`,
    });
  }
}
