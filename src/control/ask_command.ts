import { connect } from "node:net";
import { messageOf, PetitError, systemCode } from "../error.ts";
import type { Role } from "../platform/folder_lock.ts";
import type { CommandFailure } from "./command_words.ts";

/** An answer is cut off here: 10,000 registrations are 5 to 10 MB. */
const MAX_ANSWER = 256 * 1024 ** 2;

/**
 * Gives a command to the command port of a daemon of this machine, and returns its answer.
 *
 * @param command such as "STATUS 1001"
 * @param timeout milliseconds
 * @throws PetitError with the code, message and hint that the daemon gave; `daemon-silent` where nothing came, or something else
 */
export async function askCommand<Answer>(role: Role, port: number, command: string, timeout: number): Promise<Answer> {
  const text = await exchange(role, port, command, timeout);
  let answer: Answer | CommandFailure;
  try {
    answer = JSON.parse(text) as Answer | CommandFailure;
  } catch (error) {
    throw silent(role, port, text === "" ? "it closed the connection" : "what it said is no JSON", error);
  }
  if (!isFailure(answer)) return answer;
  const { code, error, hint } = answer;
  throw new PetitError(code, error, hint === undefined ? {} : { hint });
}

function exchange(role: Role, port: number, command: string, timeout: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let size = 0;
    const socket = connect({ host: "127.0.0.1", port, allowHalfOpen: true });
    const fail = (error: Error) => {
      clearTimeout(timer);
      socket.destroy();
      reject(silent(role, port, systemCode(error) === "ECONNREFUSED" ? "connection refused" : messageOf(error), error));
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

function silent(role: Role, port: number, why: string, cause: unknown): PetitError {
  return new PetitError("daemon-silent", `The ${role} did not answer on its command port ${port}: ${why}`, {
    hint: `Look into its log, or start it anew with "petit ${role} restart"`,
    cause,
  });
}
