/**
 * The facts of one piece of work for a caller: an HTTP request, a connection that left HTTP for another protocol, or a
 * connection to a reverse port.
 *
 * A report may work its facts out only when they are asked for, so an observer reads what it wants while it is being told and
 * keeps no report that is done.
 */
export interface ExchangeReport {
  readonly kind: "http" | "upgrade" | "tcp";
  /** Names this piece of work in the log and in refusals; unique among servers and restarts for all practical purposes. */
  readonly request: string;
  /** Null where the request names no registration. */
  readonly id: string | null;
  /** The registration's; null where there is none. */
  readonly brand: string | null;
  /** The number under which the server knows the SSH channel; null where none was used. */
  readonly channel: number | null;
  /** IP address of the caller itself, as far as trusted proxies tell it; "unknown" where the connection was gone. */
  readonly address: string;
  /** When its first byte came, in milliseconds since 1970. */
  readonly begunAt: number;
  /** Milliseconds until it was over; until now while it goes on. */
  readonly duration: number;
  /** Milliseconds until the answer of the service, or the refusal, began; null where none did. */
  readonly firstByteAfter: number | null;
  /** Empty where the head could not be read, as are the next five. */
  readonly method: string;
  /** The request target as the caller sent it. */
  readonly target: string;
  readonly host: string;
  /** "HTTP/1.1" or "HTTP/1.0". */
  readonly version: string;
  readonly userAgent: string;
  readonly referer: string;
  /** The status of the answer, whoever gave it; 0 where none was sent. */
  readonly status: number;
  /** Whether petit answered in place of the service. */
  readonly refused: boolean;
  /**
   * Why it went wrong: the code of a refusal, or of what broke an answer off; "caller-left"; "server-stopped"; "reset" where
   * the service broke off a connection that is not HTTP. Null where nothing did. Never chosen by a caller.
   */
  readonly error: string | null;
  /** What the client or the system said about that, for people; null where nothing was said. */
  readonly cause: string | null;
  /** Bytes from the caller, heads and framing included, without those of TLS. */
  readonly bytesIn: number;
  /** Bytes to the caller. */
  readonly bytesOut: number;
}

/** Whoever wants to know what is done for callers. It is called on the path of requests: it must be quick, and wait for nothing. */
export interface ExchangeObserver {
  /**
   * A connection that is not HTTP, or no longer, has begun; it may last for days. Its report goes on counting bytes, and the
   * same object comes to `exchangeDone` in the end.
   */
  connectionBegun?(report: ExchangeReport): void;
  /** Called once for each piece of work. */
  exchangeDone(report: ExchangeReport): void;
}

/** Nobody wants to know. */
export const NO_OBSERVER: ExchangeObserver = { exchangeDone() {} };
