import { createClient } from "@redis/client";
import { messageOf, PetitError } from "../error.ts";
import { within } from "../platform/within.ts";
import { parseRedisUrl, type RedisAddress } from "./redis_url.ts";

/** Milliseconds for the connection, and for each answer. */
const ANSWER_WITHIN = 10_000;

/** Members and keys that are asked for at a time: a Redis does nothing else meanwhile. */
const COUNT = "1000";

/** What is read of a Redis. */
export interface RedisReader {
  /** What people call it: where it is, without who logs in. */
  readonly name: string;
  /** The members of a set; none where it is not there. @throws PetitError `import-unreadable` */
  members(key: string): Promise<string[]>;
  /** The values of strings, null for what is none. @throws PetitError `import-unreadable` */
  values(keys: readonly string[]): Promise<(string | null)[]>;
  /** All keys that a glob matches. @throws PetitError `import-unreadable` */
  keys(glob: string): Promise<string[]>;
}

/**
 * Does something with a Redis, which is only read.
 *
 * @param answerWithin milliseconds for the connection, and for each answer
 * @throws PetitError `redis-url-invalid`; `import-unreadable` where it cannot be reached, is no Redis, or refuses; no message holds the password
 */
export async function withRedis<Result>(
  url: string,
  work: (redis: RedisReader) => Promise<Result>,
  answerWithin: number = ANSWER_WITHIN,
): Promise<Result> {
  const address = parseRedisUrl(url);
  const { host, port, tls, username, password, database } = address;
  const name = `The Redis at ${host}:${port}`;
  const client = createClient({
    socket: { host, port, ...(tls ? { tls } : {}), connectTimeout: answerWithin, reconnectStrategy: false },
    ...(username === undefined ? {} : { username }),
    ...(password === undefined ? {} : { password }),
    database,
    // No more is sent than is asked for here: older servers know neither the newer protocol nor names of clients.
    RESP: 2,
    disableClientInfo: true,
    disableOfflineQueue: true,
  });
  // The first word on what happened; what waits for an answer is told of its consequences only, or of nothing.
  let fault: unknown;
  const failed = new Promise<never>((_, reject) => {
    client.on("error", (error) => {
      fault ??= error;
      reject(error);
    });
  });
  failed.catch(() => {});
  const answer = async <Answer>(asked: Promise<Answer>): Promise<Answer> => {
    try {
      if (!await within(answerWithin, Promise.race([asked, failed]))) {
        throw new Error(`it did not answer within ${answerWithin / 1000} s`);
      }
      return await asked;
    } catch (error) {
      asked.catch(() => {});
      throw unreadable(name, fault ?? error, address);
    }
  };
  const ask = <Answer>(command: string[]): Promise<Answer> => answer(client.sendCommand<Answer>(command));
  const scan = async (command: (cursor: string) => string[]): Promise<string[]> => {
    // What changes meanwhile may be told twice.
    const found = new Set<string>();
    let cursor = "0";
    do {
      const [next, some] = await ask<[string, string[]]>(command(cursor));
      for (const one of some) found.add(one);
      cursor = next;
    } while (cursor !== "0");
    return [...found];
  };
  try {
    await answer(client.connect());
    return await work({
      name,
      members: (key) => scan((cursor) => ["SSCAN", key, cursor, "COUNT", COUNT]),
      values: (keys) => keys.length === 0 ? Promise.resolve([]) : ask(["MGET", ...keys]),
      keys: (glob) => scan((cursor) => ["SCAN", cursor, "MATCH", glob, "COUNT", COUNT]),
    });
  } finally {
    if (client.isOpen) client.destroy();
  }
}

function unreadable(name: string, error: unknown, { password }: RedisAddress): PetitError {
  // Some errors of an address with several IP addresses have no message of their own.
  const first = (error as { errors?: readonly unknown[] } | null)?.errors?.[0];
  const said = messageOf(messageOf(error) === "" ? first : error);
  const [reason, hint] = /^NOAUTH/.test(said)
    ? ["it wants a password", HOW]
    : /^WRONGPASS|^ERR AUTH|invalid password/i.test(said)
    ? [`it does not take this ${password === undefined ? "user" : "password"}`, HOW]
    : /^Unknown RESP|^Invalid RESP/.test(said)
    ? ["what answers there is no Redis", undefined]
    : [`${said.slice(0, 200)}`, undefined];
  return new PetitError("import-unreadable", `${name} cannot be read: ${reason}`, hint === undefined ? {} : { hint });
}

const HOW =
  'Its URL with a password is redis://:PASSWORD@HOST:PORT; "petit server import -" reads it from standard input, where other users do not see it';
