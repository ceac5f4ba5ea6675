import { connect } from "node:net";
import { messageOf, PetitError, systemCode } from "../error.ts";
import type { Role } from "../platform/folder_lock.ts";
import { apiToken } from "./api_token.ts";
import type { CommandFailure } from "./command_words.ts";

/** An answer is cut off here: 10,000 registrations are 5 to 10 MB. */
const MAX_ANSWER = 256 * 1024 ** 2;

/** A running daemon. */
export interface Asked {
  readonly role: Role;
  /** Where its token is. */
  readonly folder: string;
  readonly listen: number;
  /** Its Unix socket; null where it has none. */
  readonly socket: string | null;
}

/**
 * Gives a command to a daemon of this machine, and returns its answer: on its Unix socket or, where that is not to be had, on its port. There
 * the token is sent where the command alone is refused.
 *
 * @param command such as "STATUS 1001"
 * @param timeout milliseconds
 * @throws PetitError with the code, message and hint that the daemon gave; `daemon-silent` where nothing came, or something else; as `apiToken`
 */
export async function askCommand<Answer>(daemon: Asked, command: string, timeout: number): Promise<Answer> {
  const { folder, listen, socket } = daemon;
  if (socket !== null) {
    try {
      return await ask(daemon, { path: socket }, command, timeout);
    } catch (error) {
      if (!(error instanceof PetitError) || !GONE.includes(systemCode(error.cause) ?? "")) throw error;
    }
  }
  const port = { host: "127.0.0.1", port: listen };
  try {
    return await ask(daemon, port, command, timeout);
  } catch (error) {
    if (!(error instanceof PetitError) || error.code !== "command-closed") throw error;
    return await ask(daemon, port, `AUTH ${apiToken(folder)} ${command}`, timeout);
  }
}

/** What says that there is no socket: somebody has taken its name away. */
const GONE = ["ENOENT", "ECONNREFUSED"];

type Where = { readonly path: string } | { readonly host: string; readonly port: number };

async function ask<Answer>({ role }: Asked, where: Where, command: string, timeout: number): Promise<Answer> {
  const text = await exchange(role, where, command, timeout);
  let answer: Answer | CommandFailure;
  try {
    answer = JSON.parse(text) as Answer | CommandFailure;
  } catch (error) {
    throw silent(role, where, text === "" ? "it closed the connection" : "what it said is no JSON", error);
  }
  if (!isFailure(answer)) return answer;
  const { code, error, hint } = answer;
  throw new PetitError(code, error, hint === undefined ? {} : { hint });
}

function exchange(role: Role, where: Where, command: string, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const socket = connect({ ...where, allowHalfOpen: true });
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(
        silent(role, where, systemCode(error) === "ECONNREFUSED" ? "connection refused" : messageOf(error), error),
      );
    };
    const timer = setTimeout(() => fail(new Error(`no answer within ${timeout / 1000} s`)), timeout);
    socket.on("error", fail);
    // The direction stays open: who ends it behind a word such as STOP gets no answer.
    socket.on("connect", () => socket.write(`${command}\x03`));
    socket.on("data", (bytes: Buffer) => {
      chunks.push(bytes);
      if ((size += bytes.length) > MAX_ANSWER) fail(new Error("the answer is too large"));
    });
    socket.on("end", () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(Buffer.concat(chunks).toString("utf8"));
    });
    socket.on("close", () => fail(new Error("the connection was closed")));
  });
}

function isFailure(answer: unknown): answer is CommandFailure {
  const { success, type, error } = answer as Partial<CommandFailure>;
  return success === false && type === "error" && typeof error === "string";
}

function silent(role: Role, where: Where, why: string, cause: unknown): PetitError {
  const name = "path" in where ? `socket "${where.path}"` : `command port ${where.port}`;
  return new PetitError("daemon-silent", `The ${role} did not answer on its ${name}: ${why}`, {
    hint: `Look into its log, or start it anew with "petit ${role} restart"`,
    cause,
  });
}
