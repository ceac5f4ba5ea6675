import { lstatSync, rmSync, statSync } from "node:fs";
import { connect, type Server } from "node:net";
import process from "node:process";
import { messageOf, PetitError, systemCode } from "../error.ts";

/** Bytes that the address of a Unix socket may have: 108 with a zero on Linux, 104 elsewhere (sun_path in sockaddr_un). */
const MAX_PATH = process.platform === "linux" ? 107 : 103;

/** Whether there are Unix sockets here with the modes of files; those of Windows have none. */
export const hasUnixSockets = process.platform !== "win32";

/**
 * Makes `server` listen on a Unix socket that only this user can connect to. What a killed process has left there is replaced; nothing else is.
 * Whoever closes the server calls {@link removeSocket} then.
 *
 * @throws PetitError `socket-unusable`
 */
export async function listenOnSocket(server: Server, path: string): Promise<void> {
  if (Buffer.byteLength(path) > MAX_PATH) {
    throw unusable(path, `it is longer than ${MAX_PATH} bytes, which is all that the system takes`);
  }
  await replaceStale(path);
  // Not changed afterwards: in between others could connect.
  const before = process.umask(0o177);
  try {
    const listening = new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen({ path, backlog: 64 }, () => {
        server.off("error", reject);
        resolve();
      });
    });
    process.umask(before);
    await listening;
  } catch (error) {
    throw unusable(path, messageOf(error), error);
  } finally {
    process.umask(before);
  }
  const mode = statSync(path).mode & 0o777;
  if (mode === 0o600) return;
  server.close();
  throw unusable(path, `its file system gave it the mode ${mode.toString(8)}`);
}

/** Takes the socket's name away, if the runtime has not done so. Not after another process may have made its own. */
export function removeSocket(path: string): void {
  if (isSocket(path)) rmSync(path, { force: true });
}

async function replaceStale(path: string): Promise<void> {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return;
  if (!found.isSocket()) throw unusable(path, "there is something else under that name");
  if (await answers(path)) throw unusable(path, "another process listens on it");
  rmSync(path, { force: true });
}

function answers(path: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ path });
    socket.on("connect", () => {
      socket.destroy();
      resolve(true);
    });
    // Whatever else goes wrong with it, such as a queue that is full, somebody is there.
    socket.on("error", (error) => resolve(!["ECONNREFUSED", "ENOENT"].includes(systemCode(error) ?? "")));
  });
}

function isSocket(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false })?.isSocket() === true;
}

function unusable(path: string, why: string, cause?: unknown): PetitError {
  return new PetitError("socket-unusable", `Cannot listen on the socket "${path}": ${why}`, {
    hint: 'Set another path as listenSocket, or "" for none',
    cause,
  });
}
