import { request } from "node:http";
import { messageOf, PetitError, systemCode } from "../error.ts";
import type { Role } from "../platform/folder_lock.ts";
import { findDaemon } from "../platform/pid_file.ts";
import { apiToken } from "./api_token.ts";
import { apiErrorSchema } from "./api_error.ts";
import { notRunning } from "./not_running.ts";

/** One question to a daemon of this machine. */
export interface DaemonCall {
  /** The folder of its config file, where its pid file and its token are. */
  readonly folder: string;
  readonly role: Role;
  readonly method?: "GET" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query, such as "/registrations?limit=10". Parts that a person typed belong into `encodeURIComponent`. */
  readonly path: string;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Milliseconds for the whole; 30 s by default. */
  readonly timeout?: number;
  /** Gives up before. */
  readonly signal?: AbortSignal;
}

/** An answer is cut off here: 10,000 registrations are 5 to 10 MB. */
const MAX_ANSWER = 256 * 1024 ** 2;

/**
 * Asks the REST API of a running daemon. `Answer` is what the API's description says.
 *
 * All that a server knows is `GET /registry` (a ServerStatus) and `GET /status/ID` (a FullStatus), page by page
 * `GET /registrations`; `GET /status` has the shape of 0.6.x: ids only. For a client `GET /status` is `{pid, status: ClientStatus}`.
 *
 * @throws PetitError with the code, message and hint that the daemon gave, with exit code 2 where the question was wrong;
 * `not-running` with exit code 3; `daemon-starting`; `pid-unreadable`, `lock-unreadable` or `token-unreadable` where it is another user's;
 * `daemon-silent` or `daemon-answer` where something else came
 */
export async function callDaemon<Answer>(call: DaemonCall): Promise<Answer> {
  const { role, folder } = call;
  const port = portOf(folder, role);
  const { status, text } = await ask(call, port, apiToken(folder));
  let answer: unknown;
  try {
    answer = text === "" ? undefined : JSON.parse(text);
  } catch (cause) {
    throw new PetitError("daemon-answer", `The ${role} on port ${port} answered something else than JSON`, {
      hint: `Perhaps another program has that port: check [${role}] apiPort`,
      cause,
    });
  }
  if (status < 400) return answer as Answer;
  const error = apiErrorSchema.safeParse(answer);
  if (!error.success) {
    throw new PetitError("daemon-answer", `The ${role} on port ${port} answered with status ${status}`);
  }
  const { code, message, hint } = error.data;
  throw new PetitError(code, message, {
    ...(hint === undefined ? {} : { hint }),
    exitCode: status === 400 || status === 422 ? 2 : 1,
  });
}

function portOf(folder: string, role: Role): number {
  const daemon = findDaemon(folder, role);
  if (daemon === undefined) throw notRunning(role);
  if (daemon !== "starting" && daemon.api !== null) return daemon.api;
  throw new PetitError("daemon-starting", `The ${role} is still starting`, { hint: "Ask again in a moment" });
}

function ask(call: DaemonCall, port: number, token: string): Promise<{ status: number; text: string }> {
  const { role, method = "GET", path, body, timeout = 30_000, signal } = call;
  const bytes = body === undefined ? undefined : Buffer.from(JSON.stringify(body));
  return new Promise((resolve, reject) => {
    const sent = request({
      host: "127.0.0.1",
      port,
      method,
      path,
      // A connection of its own, that ends with the answer: the command is to end then.
      agent: false,
      headers: {
        authorization: `Bearer ${token}`,
        ...(bytes === undefined ? {} : { "content-type": "application/json", "content-length": bytes.length }),
      },
      signal: AbortSignal.any([AbortSignal.timeout(timeout), ...(signal === undefined ? [] : [signal])]),
    }, (answer) => {
      const chunks: Buffer[] = [];
      let size = 0;
      answer.on("data", (chunk: Buffer) => {
        chunks.push(chunk);
        if ((size += chunk.length) > MAX_ANSWER) sent.destroy(new Error("the answer is too large"));
      });
      answer.on("error", fail);
      answer.on("end", () => resolve({ status: answer.statusCode ?? 0, text: Buffer.concat(chunks).toString("utf8") }));
    });
    const fail = (error: Error) => reject(explained(error, role, port, timeout));
    sent.on("error", fail);
    sent.end(bytes);
  });
}

function explained(error: Error, role: Role, port: number, timeout: number): PetitError {
  if (systemCode(error) === "ECONNREFUSED") return notRunning(role, error);
  const why = error.name === "AbortError" || error.name === "TimeoutError"
    ? `no answer within ${timeout / 1000} s`
    : messageOf(error);
  return new PetitError("daemon-silent", `The ${role} on port ${port} did not answer: ${why}`, {
    hint: `Look into its log, or start it anew with "petit ${role} restart"`,
    cause: error,
  });
}
