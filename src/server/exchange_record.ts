import { randomBytes } from "node:crypto";
import { valueOf } from "../http/fields.ts";
import type { RequestHead } from "../http/head.ts";
import type { ExchangeObserver, ExchangeReport } from "../observe/exchange_report.ts";
import type { Registration } from "../registry/registry.ts";
import type { DuplexChannel } from "../tunnel/duplex_channel.ts";
import type { Peer } from "./forwarded_fields.ts";
import { realCaller } from "./real_caller.ts";

/** Tells this process's requests from those of the process before, and of other servers. */
const PROCESS = randomBytes(4).toString("hex");
let count = 0;

/**
 * What is known of one piece of work for a caller, put together while it goes on. It is made for every request: what is set
 * there is a number or a reference, and everything else is worked out for whoever asks.
 */
export class ExchangeRecord implements ExchangeReport {
  kind: ExchangeReport["kind"] = "http";
  head: RequestHead | undefined;
  registration: Registration | undefined;
  channel: number | null = null;
  status = 0;
  refused = false;
  error: string | null = null;
  cause: string | null = null;
  /** Bytes from and to the caller that are not counted by a channel that was joined to it. */
  received = 0;
  sent = 0;
  readonly #observer: ExchangeObserver;
  readonly #peer: Peer;
  readonly #number = count++;
  /** In milliseconds of `performance.now()`, as are the next two; 0 where it has not come to that. */
  readonly #begun: number;
  #firstByte = 0;
  #over = 0;
  #begunAt = 0;
  #joined: DuplexChannel | undefined;
  #before = { in: 0, out: 0 };

  /** @param begun when its first byte came, in milliseconds of `performance.now()` */
  constructor(observer: ExchangeObserver, peer: Peer, begun: number) {
    this.#observer = observer;
    this.#peer = peer;
    this.#begun = begun;
  }

  /** The service's answer begins, with its head. */
  answered(status: number): void {
    this.status = status;
    this.#firstByte = performance.now();
  }

  /** Petit answers in place of the service. */
  refuse(status: number, code: string): void {
    this.answered(status);
    this.refused = true;
    this.error = code;
  }

  /** From here on `channel` and the caller's connection are one, and the channel counts the bytes. */
  join(channel: DuplexChannel, kind: "upgrade" | "tcp"): void {
    this.kind = kind;
    this.channel = channel.incoming.id;
    this.#joined = channel;
    this.#before = { in: channel.bytesIn, out: channel.bytesOut };
    this.#observer.connectionBegun?.(this);
  }

  /** It is over; `error` as in the report. Only the first call counts. */
  done(error: string | null): void {
    if (this.#over !== 0) return;
    this.#over = performance.now();
    if (error !== null) this.error = error;
    this.#observer.exchangeDone(this);
  }

  get request(): string {
    return `${PROCESS}-${this.#number.toString(36)}`;
  }

  get id(): string | null {
    return this.registration?.id ?? null;
  }

  get brand(): string | null {
    return this.registration?.brand ?? null;
  }

  get address(): string {
    return realCaller(this.#peer, this.head?.fields ?? []);
  }

  get begunAt(): number {
    if (this.#begunAt === 0) this.#begunAt = Math.round(Date.now() - (performance.now() - this.#begun));
    return this.#begunAt;
  }

  get duration(): number {
    return (this.#over === 0 ? performance.now() : this.#over) - this.#begun;
  }

  get firstByteAfter(): number | null {
    return this.#firstByte === 0 ? null : this.#firstByte - this.#begun;
  }

  get method(): string {
    return this.head?.method ?? "";
  }

  get target(): string {
    return this.head?.target ?? "";
  }

  get host(): string {
    return this.#field("host");
  }

  get version(): string {
    return this.head === undefined ? "" : `HTTP/1.${this.head.minor}`;
  }

  get userAgent(): string {
    return this.#field("user-agent");
  }

  get referer(): string {
    return this.#field("referer");
  }

  get bytesIn(): number {
    return this.received + (this.#joined === undefined ? 0 : this.#joined.bytesOut - this.#before.out);
  }

  get bytesOut(): number {
    return this.sent + (this.#joined === undefined ? 0 : this.#joined.bytesIn - this.#before.in);
  }

  #field(name: string): string {
    return this.head === undefined ? "" : valueOf(this.head.fields, name) ?? "";
  }
}
