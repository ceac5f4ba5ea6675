import { join } from "node:path";
import type { ClientConfig } from "../config/schema.ts";
import { asciiJson } from "../observe/ascii_json.ts";
import type { Log } from "../observe/log.ts";
import { tellOfTrouble } from "../observe/open_log.ts";
import { RotatingFile } from "../observe/rotating_file.ts";
import type { GuardedRequest } from "./http_guard.ts";

/**
 * What became of a connection that came in. "ok": both ends have ended it in order. "refused-http": it asked for something that is not
 * allowed, or was not HTTP. "not-served": for no tenant that is served. "service-refused": the service was not reached; "service-reset" and
 * "caller-reset": broken off by one side; "service-invalid": it answered with what is no HTTP, to a request that was; "tunnel-lost": by the end of the tunnel. The others name why the client did not let it in, or ended it.
 */
export type InboundOutcome =
  | "ok"
  | "paused"
  | "service-not-allowed"
  | "rules-changed"
  | "refused-http"
  | "not-served"
  | "service-refused"
  | "service-reset"
  | "service-invalid"
  | "caller-reset"
  | "tunnel-lost";

/** Where a connection came from, and where it was to go. */
export interface InboundFacts {
  /** When it came, in milliseconds since 1970. */
  readonly at: number;
  /** A caller's, or one by which the server sees whether the service is well. */
  readonly by: "caller" | "probe";
  /** Null where it was for none. */
  readonly tenant: string | null;
  readonly id: string | null;
  /** What the server says who called. For HTTP that is the first of those whose requests share a connection. */
  readonly address: string;
  readonly port: number;
  /** "host:port"; null where it was for no tenant. */
  readonly service: string | null;
  /** The names that both ends have for tunnel and channel. */
  readonly tunnel: string;
  readonly channel: number;
}

/** How a connection ended. */
export interface InboundEnd {
  readonly outcome: InboundOutcome;
  readonly cause?: string | undefined;
  /** Bytes from the caller, and to it. */
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly milliseconds: number;
}

/** Where the log is. @param folder of the log files */
export function inboundLogFile(folder: string): string {
  return join(folder, "inbound.log");
}

/** Characters of a text of others that are kept. */
const LONGEST = 2048;
const LONGEST_ADDRESS = 64;

/** Milliseconds for which lines are gathered. */
const GATHER_FOR = 100;

/**
 * The log of all connections that come in through the tunnel: `inbound.log` in the folder of the log files, one JSON object a line, written when
 * a connection ends; and one for each request where the client reads them. It is only ever appended to, and put away at logMaxSize.
 */
export class InboundLog {
  readonly #file: RotatingFile;

  /** Undefined where none is wanted. @throws PetitError `log-unwritable` */
  static open(config: ClientConfig, log: Log): InboundLog | undefined {
    const { inboundLog, logFolder } = config;
    return inboundLog === "off" || logFolder === "" ? undefined : new InboundLog(config, log);
  }

  private constructor({ logFolder, logMaxSize: maxSize, logMaxFiles: maxFiles }: ClientConfig, log: Log) {
    const file = inboundLogFile(logFolder);
    this.#file = new RotatingFile({ file, maxSize, maxFiles, delay: GATHER_FOR, ...tellOfTrouble(file, () => log) });
  }

  connection(facts: InboundFacts, end: InboundEnd): void {
    const { outcome, cause, bytesIn, bytesOut, milliseconds } = end;
    const more = { outcome, cause: cause?.slice(0, LONGEST), bytesIn, bytesOut, ms: tenths(milliseconds) };
    this.#write({ ...told("connection", facts.at, facts), ...more });
  }

  request(
    facts: InboundFacts,
    { at, method, target, status, forwardedFor, refused, milliseconds }: GuardedRequest,
  ): void {
    this.#write({
      ...told("request", at, facts),
      method: method.slice(0, LONGEST),
      target: target.slice(0, LONGEST),
      forwardedFor: forwardedFor?.slice(0, LONGEST) ?? null,
      status,
      outcome: refused === undefined ? "ok" : "refused-http",
      cause: refused?.slice(0, LONGEST),
      ms: tenths(milliseconds),
    });
  }

  /** Writes what is left, and closes the file. */
  close(): Promise<void> {
    return this.#file.close();
  }

  #write(line: object): void {
    this.#file.write(`${asciiJson(line)}\n`);
  }
}

function told(kind: "connection" | "request", at: number, facts: InboundFacts) {
  const { by, tenant, id, address, port, service, tunnel, channel } = facts;
  const time = new Date(at).toISOString();
  return { time, kind, by, tenant, id, address: address.slice(0, LONGEST_ADDRESS), port, service, tunnel, channel };
}

const tenths = (value: number) => Math.round(value * 10) / 10;
