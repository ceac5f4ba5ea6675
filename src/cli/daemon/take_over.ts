import process from "node:process";
import { createInterface } from "node:readline";
import { setTimeout as sleep } from "node:timers/promises";
import { PetitError } from "../../error.ts";
import { tellStarter } from "../../platform/detached.ts";
import { type FolderLock, lockFolder, type Role } from "../../platform/folder_lock.ts";
import { inheritSockets } from "../../platform/handed_sockets.ts";
import { removePidFile } from "../../platform/pid_file.ts";
import type { EarlyEnd } from "./daemon.ts";
import { FIRST_SOCKET, HAND_OVER_VERSION, type Handed, SUCCESSOR_MARK } from "./hand_over.ts";

/** Milliseconds for the predecessor to give the lock back once it has said "go". */
const LOCKED_WITHIN = 10_000;

/** The process whose place this one takes (hand_over.ts). */
export interface Predecessor {
  /** Ports that it gives back before it says that this process may go on. */
  readonly ports: readonly number[];
  /** Says that this process could go on, and waits until it is to. @throws PetitError `handover-cancelled` */
  gone(): Promise<void>;
  /** Says that this process is the daemon now. */
  taken(): void;
  /** This process ends, whatever it is told: what it could be told keeps it alive no longer. */
  leave(): void;
}

/**
 * The predecessor, whose sockets are inherited by then; undefined for a process that was started in the ordinary way.
 *
 * @throws PetitError `handover-cancelled`, or `handover-unsupported`, of which the predecessor has been told
 */
export async function predecessor(): Promise<Predecessor | undefined> {
  if (process.env[SUCCESSOR_MARK] !== "1") return undefined;
  // Its own children are none.
  delete process.env[SUCCESSOR_MARK];
  const reading = createInterface({ input: process.stdin });
  const lines = reading[Symbol.asyncIterator]();
  const { value: handed } = await lines.next();
  if (handed === undefined) throw cancelled();
  const leave = () => {
    reading.close();
    process.stdin.destroy();
  };
  // By another version the rest may mean something else.
  const { version = HAND_OVER_VERSION, sockets, ports } = JSON.parse(handed) as Handed;
  if (version !== HAND_OVER_VERSION) {
    leave();
    throw otherVersion();
  }
  inheritSockets(sockets, FIRST_SOCKET);
  return {
    ports,
    async gone() {
      tellStarter(`prepared ${process.pid}\n`);
      const { value } = await lines.next();
      leave();
      if (value !== "go") throw cancelled();
    },
    taken: () => tellStarter("here\n"),
    leave,
  };
}

function otherVersion(): PetitError {
  const code = "handover-unsupported";
  const message =
    "The process that runs hands over in another way than this petit takes over: they are of different versions";
  tellStarter(JSON.stringify({ code, message, hint: undefined, exitCode: 1 } satisfies EarlyEnd));
  return new PetitError(code, message);
}

const cancelled = () => new PetitError("handover-cancelled", "The process before did not hand over");

/** Takes the lock that the predecessor gives back. @throws PetitError as `lockFolder` */
export async function lockAfter(folder: string, role: Role): Promise<FolderLock> {
  const deadline = performance.now() + LOCKED_WITHIN;
  for (;;) {
    try {
      return lockFolder(folder, role, () => removePidFile(folder, role));
    } catch (error) {
      const busy = error instanceof PetitError && error.code === "folder-locked";
      if (!busy || performance.now() > deadline) throw error;
      await sleep(20);
    }
  }
}
