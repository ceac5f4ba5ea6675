import { PetitError } from "../error.ts";

/** Where a Redis is, and who logs in there. */
export interface RedisAddress {
  readonly host: string;
  readonly port: number;
  readonly tls: boolean;
  readonly username: string | undefined;
  readonly password: string | undefined;
  readonly database: number;
}

/** Whether a text is meant to be the URL of a Redis. */
export function isRedisUrl(text: string): boolean {
  return /^rediss?:/i.test(text);
}

/** Reads `redis[s]://[[user]:password@]host[:port][/database]`. @throws PetitError `redis-url-invalid`, which does not repeat it: it may hold a password */
export function parseRedisUrl(text: string): RedisAddress {
  try {
    const url = new URL(text);
    const database = /^\/?(\d{0,6})$/.exec(url.pathname)?.[1];
    if (!isRedisUrl(text) || database === undefined || url.search !== "" || url.hash !== "") throw invalid();
    const part = (value: string) => value === "" ? undefined : decodeURIComponent(value);
    return {
      // A name in brackets is an address of IPv6.
      host: url.hostname.replace(/^\[(.*)\]$/, "$1") || "localhost",
      port: Number(url.port || 6379),
      tls: url.protocol === "rediss:",
      username: part(url.username),
      password: part(url.password),
      database: Number(database),
    };
  } catch {
    throw invalid();
  }
}

const invalid = () =>
  new PetitError("redis-url-invalid", "This is not the URL of a Redis", {
    hint:
      "Wanted: redis://HOST:PORT, with :PASSWORD@ or USER:PASSWORD@ before the host and /DATABASE after the port where there is one; " +
      "what is not a letter or digit in a password is percent-encoded",
    exitCode: 2,
  });
