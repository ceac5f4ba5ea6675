import type { Socket } from "node:net";
import { type Framing, persists, requestFraming } from "../http/framing.ts";
import { emptyLineAt, headEnd, parseRequestHead, type RequestHead } from "../http/head.ts";
import { MessageError } from "../http/message_error.ts";
import type { ExchangeObserver } from "../observe/exchange_report.ts";
import { resetConnection } from "../platform/reset.ts";
import type { AccessRules } from "./access/access_rules.ts";
import { CallerAccess } from "./access/caller_access.ts";
import type { Caller } from "./caller.ts";
import type { Deadlines, Timed } from "./deadlines.ts";
import type { Registration } from "../registry/registry.ts";
import { ExchangeRecord } from "./exchange_record.ts";
import { Exchange, type ExchangeContext } from "./forward_http.ts";
import type { FairTurns } from "./fair_turns.ts";
import type { Peer } from "./forwarded_fields.ts";
import { type Refusal, refusalBytes, refusals } from "./refusal.ts";
import { type RequestTarget, requestTarget } from "./request_target.ts";
import type { Routes } from "./routes.ts";
import type { UpgradedConnection } from "./upgraded_connection.ts";

/** What all callers' connections share. Times in milliseconds. */
export interface CallerContext extends ExchangeContext {
  readonly routes: Routes;
  readonly access: AccessRules;
  readonly deadlines: Deadlines;
  readonly turns: FairTurns;
  /** Told of every request once it is over. */
  readonly observer: ExchangeObserver;
  /** Told of errors that are petit's own. */
  readonly onFault: (error: unknown) => void;
  readonly limits: ExchangeContext["limits"] & {
    readonly headTimeout: number;
    readonly idleTimeout: number;
    readonly maxCallers: number;
  };
}

/** Milliseconds for which a closing connection is still read, so that the caller gets the answer and not a reset (RFC 9112, section 9.6). */
const LINGER = 2000;

/**
 * Milliseconds after which a caller that has ended its direction counts as gone, unless it took bytes meanwhile. A FIN
 * says either "I have sent everything" (nc -N) or "I have left"; only time tells.
 */
const FAREWELL = 1000;

/** Milliseconds for which a connection that is to leave may stay idle. */
const LEAVE_WITHIN = 5000;

/** Stands for the registration of a request that names none, while its password is looked at. */
const NOBODYS: Registration = {
  id: "",
  port: 0,
  key: "",
  fingerprint: "",
  brand: "",
  tenant: "",
  aliases: [],
  vitae: null,
  bindAddress: null,
  legacy: false,
  createdAt: 0,
};

const NOTHING: Buffer = Buffer.alloc(0);

/** One connection of a caller: its requests, one after the other (RFC 9112, section 9). */
export class CallerConnection implements Caller, Timed {
  readonly peer: Peer;
  deadline: number;
  readonly #socket: Socket;
  readonly #context: CallerContext;
  readonly #access: CallerAccess;
  #pending = NOTHING;
  #searched = 0;
  #exchange: Exchange | undefined;
  /** Of the request that has begun to come and is not over. */
  #record: ExchangeRecord | undefined;
  #head: RequestHead | undefined;
  /** It has sent the head of a request. */
  hasAsked = false;
  #pumping = false;
  #paused = false;
  /** The caller has ended its direction. */
  #ended = false;
  #closing = false;
  #handedOver = false;
  #upgraded: UpgradedConnection | undefined;
  #draining = false;
  #leaving = false;
  /** Bytes of its answer that it had not taken at the last look. */
  #unsent = 0;
  #farewell: NodeJS.Timeout | undefined;

  constructor(socket: Socket, peer: Peer, context: CallerContext) {
    this.#socket = socket;
    this.#context = context;
    this.#access = new CallerAccess(context.access, peer);
    this.peer = peer;
    this.deadline = performance.now() + context.limits.headTimeout;
    context.deadlines.add(this);
    socket.on("data", this.#onData);
    socket.on("drain", this.#onDrain);
    socket.on("end", this.#onEnd);
    socket.on("error", this.#onError);
    socket.on("close", this.#onClose);
  }

  readonly #onData = (bytes: Buffer): void => {
    if (this.#closing) return;
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    this.#pump();
  };

  readonly #onDrain = (): void => this.#exchange?.onCallerDrain();

  readonly #onError = (): void => {
    // "close" follows, and does the work.
  };

  readonly #onEnd = (): void => {
    this.#ended = true;
    this.#pump();
    if (this.#exchange === undefined) return;
    let written = this.#socket.bytesWritten;
    this.#farewell = setInterval(() => {
      if (this.#socket.bytesWritten === written) this.#socket.destroy();
      written = this.#socket.bytesWritten;
    }, FAREWELL);
  };

  readonly #onClose = (): void => {
    clearInterval(this.#farewell);
    this.#context.deadlines.remove(this);
    this.#exchange?.onCallerGone();
    if (this.#exchange !== undefined) this.#record?.done("caller-left");
    this.#exchange = undefined;
  };

  /** Works through what has been read. */
  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#pending.length > 0 && !this.#closing && !this.#handedOver) {
        if (this.#exchange === undefined ? !this.#readHead() : !this.#readBody(this.#exchange)) break;
      }
    } catch (error) {
      const answering = this.#exchange?.answering === true;
      this.#exchange?.onCallerGone();
      if (!(error instanceof MessageError)) this.fault(error);
      if (!(error instanceof MessageError) || answering) {
        return this.abort(error instanceof MessageError ? error.code : "internal");
      }
      this.#head = undefined;
      this.refuse({
        status: error.status,
        code: error.code,
        message: `${error.message}: the caller's request is not valid HTTP.`,
      });
    } finally {
      this.#pumping = false;
    }
    if (this.#ended) this.#stopIfCut();
  }

  /** A caller that has ended its direction and owes the rest of a request, or has no more of them. */
  #stopIfCut(): void {
    if (
      this.#closing || this.#handedOver ||
      (this.#exchange !== undefined && (this.#exchange.requestRead || this.#pending.length > 0))
    ) return;
    this.#exchange?.onCallerGone();
    if (this.#exchange !== undefined) this.#record?.done("caller-left");
    this.#exchange = undefined;
    this.#end();
  }

  /** False when more bytes are needed. */
  #readHead(): boolean {
    const { limits } = this.#context;
    if (this.#searched === 0) {
      // A lone CR may be the first half of the empty line that is ignored.
      if (this.#pending.length === 1 && this.#pending[0] === 0x0d) return false;
      const skip = emptyLineAt(this.#pending);
      if (skip > 0) this.#pending = this.#pending.subarray(skip);
      if (this.#pending.length === 0) return false;
      const now = performance.now();
      this.deadline = now + limits.headTimeout;
      this.#record = new ExchangeRecord(this.#context.observer, this.peer, now);
    }
    const end = headEnd(this.#pending, this.#searched);
    if (end < 0 ? this.#pending.length > limits.maxHeadSize : end > limits.maxHeadSize) {
      this.refuse(refusals.headTooLarge);
      return false;
    }
    if (end < 0) {
      this.#searched = this.#pending.length;
      return false;
    }
    this.#searched = 0;
    const record = this.#record as ExchangeRecord;
    record.received = end;
    const head = record.head = parseRequestHead(this.#pending.subarray(0, end));
    const framing = requestFraming(head);
    this.#pending = this.#pending.subarray(end);
    this.#begin(head, framing, head.method.toUpperCase() === "CONNECT" ? undefined : requestTarget(head));
    return true;
  }

  #begin(head: RequestHead, framing: Framing, target: RequestTarget | undefined): void {
    this.hasAsked = true;
    this.#head = head;
    this.deadline = Infinity;
    if (target === undefined) return this.refuse(refusals.connectMethod);
    const registration = this.#context.routes.byHost(target.host);
    const record = this.#record as ExchangeRecord;
    record.registration = registration;
    const verdict = this.#access.check(registration?.id, head.fields);
    if (verdict instanceof Promise) return this.#await(verdict, registration, head, target, framing);
    if (verdict !== undefined) return this.#turnDown(verdict, head, framing.kind === "none");
    if (registration === undefined) return this.#turnDown(refusals.registrationUnknown, head, framing.kind === "none");
    const exchange = this.#makeExchange(registration, head, target, framing);
    this.#context.turns.enter(registration.id, () => exchange.start());
  }

  #makeExchange(registration: Registration, head: RequestHead, target: RequestTarget, framing: Framing): Exchange {
    const fields = this.#access.forService(head.fields);
    const passedOn = fields === head.fields ? head : { ...head, fields };
    const record = this.#record as ExchangeRecord;
    return this.#exchange = new Exchange(this, registration, passedOn, target, framing, this.#context, record);
  }

  /** The request waits for its turn while a password is looked at; nothing of its body is read. */
  #await(
    verdict: Promise<Refusal | undefined>,
    registration: Registration | undefined,
    head: RequestHead,
    target: RequestTarget,
    framing: Framing,
  ): void {
    const exchange = this.#makeExchange(registration ?? NOBODYS, head, target, framing);
    verdict.then((refusal) => {
      if (this.#exchange !== exchange) return;
      if (refusal === undefined && registration !== undefined) {
        return this.#context.turns.enter(registration.id, () => exchange.start());
      }
      exchange.onCallerGone();
      this.#turnDown(refusal ?? refusals.registrationUnknown, head, exchange.requestRead);
    }).catch((error) => {
      this.fault(error);
      exchange.onCallerGone();
      if (this.#exchange === exchange) this.abort("internal");
    });
  }

  /** Where nothing of the request is left to read, the connection can serve the next one. */
  #turnDown(refusal: Refusal, head: RequestHead, isRead: boolean): void {
    if (isRead && persists(head) && refusal.status !== 400) return this.#refuseAndGoOn(refusal);
    this.refuse(refusal);
  }

  /** What was let in may have to go, since somebody has changed who may call. */
  recheck(): void {
    if (this.peer.certificate?.outdated === true) this.drain();
    const busy = this.#exchange !== undefined || this.#upgraded !== undefined;
    if (!busy || this.#access.holds) return;
    const { accessRevoked } = refusals;
    if (this.#upgraded !== undefined) return this.#upgraded.cut(accessRevoked.code);
    const answering = this.#exchange?.answering === true;
    this.#exchange?.onCallerGone();
    if (answering) this.abort(accessRevoked.code);
    else this.refuse(accessRevoked);
  }

  /** False when the exchange can take no more for now. */
  #readBody(exchange: Exchange): boolean {
    if (!exchange.requestRead) {
      const record = this.#record;
      const used = exchange.takeBody(this.#pending);
      if (record !== undefined) record.received += used;
      if (used > 0) this.#pending = this.#pending.subarray(used);
      if (used > 0 || this.#exchange !== exchange) return true;
      this.#pause();
      return false;
    }
    // The next request waits its turn. Reading goes on for a while, since only who reads notices that a caller has left.
    if (this.#pending.length > this.#context.limits.maxHeadSize) this.#pause();
    return false;
  }

  /** Serves no request after the one that is being answered. */
  drain(): void {
    this.#draining = true;
    this.#upgraded?.drain();
    const idle = this.#exchange === undefined && this.#pending.length === 0 && !this.#closing && !this.#handedOver;
    if (idle) this.#socket.destroySoon();
  }

  /** Serves one request more at most, and is closed when none comes soon: the caller may have sent one already. */
  leave(): void {
    this.#leaving = true;
    this.#upgraded?.drain();
    if (this.#exchange === undefined) this.deadline = Math.min(this.deadline, performance.now() + LEAVE_WITHIN);
  }

  /** The connection is about to be cut off: whoever reads the records must not think that the caller left. */
  serverStops(): void {
    this.#upgraded?.serverStops();
    if (this.#exchange === undefined) return;
    this.#record?.done("server-stopped");
    // Of an answer whose end is the end of the connection, half would look whole.
    if (this.#exchange.answering) resetConnection(this.#socket);
  }

  get mayPersist(): boolean {
    return !this.#draining && !this.#leaving;
  }

  get waitingBytes(): number {
    return (this.#record?.received ?? 0) + this.#pending.length;
  }

  write(bytes: Buffer): boolean {
    if (this.#record !== undefined) this.#record.sent += bytes.length;
    return this.#socket.write(bytes);
  }

  bodyWanted(): void {
    this.#resume();
    this.#pump();
  }

  timeoutIn(milliseconds: number): void {
    this.deadline = performance.now() + milliseconds;
  }

  finished(keep: boolean): void {
    this.#record?.done(null);
    this.#record = undefined;
    this.#exchange = undefined;
    this.#head = undefined;
    if (!keep || this.#draining) return this.#end();
    const { idleTimeout } = this.#context.limits;
    // A promise to keep the connection, given before it was asked to leave, is kept.
    this.deadline = performance.now() +
      (this.#leaving && this.#socket.writableLength === 0 ? Math.min(idleTimeout, LEAVE_WITHIN) : idleTimeout);
    this.#resume();
    this.#pump();
  }

  refuse(refusal: Refusal): void {
    // A request that got nowhere, and of which nothing is left to read, need not cost the caller its connection.
    const head = this.#head;
    const goesOn = refusal === refusals.tunnelAway && this.#exchange?.requestRead === true && head !== undefined &&
      persists(head) && this.mayPersist;
    if (goesOn) return this.#refuseAndGoOn(refusal);
    this.#refuse(refusal, true);
    this.#exchange = undefined;
    this.#head = undefined;
    this.#end();
  }

  #refuseAndGoOn(refusal: Refusal): void {
    this.#refuse(refusal, false);
    this.finished(true);
  }

  #refuse(refusal: Refusal, close: boolean): void {
    const record = this.#record ?? new ExchangeRecord(this.#context.observer, this.peer, performance.now());
    this.#record = undefined;
    // Of a head that could not be used, all that came is all there is.
    if (record.head === undefined) record.received = this.#pending.length;
    const withoutBody = this.#head?.method === "HEAD";
    const bytes = refusalBytes(refusal, { close, withoutBody, request: record.request });
    record.sent += bytes.length;
    this.#socket.write(bytes);
    record.refuse(refusal.status, refusal.code);
    record.done(refusal.code);
  }

  abort(code: string): void {
    this.#record?.done(code);
    this.#exchange = undefined;
    resetConnection(this.#socket);
  }

  fault(error: unknown): void {
    this.#context.onFault(error);
  }

  handOver(): { socket: Socket; early: Buffer } {
    const early = this.#pending;
    this.#handedOver = true;
    this.#exchange = undefined;
    this.#record = undefined;
    this.#pending = NOTHING;
    clearInterval(this.#farewell);
    this.#context.deadlines.remove(this);
    this.#socket.off("data", this.#onData).off("drain", this.#onDrain).off("end", this.#onEnd).off(
      "error",
      this.#onError,
    );
    this.#socket.off("close", this.#onClose);
    return { socket: this.#socket, early };
  }

  upgraded(connection: UpgradedConnection): void {
    this.#upgraded = connection;
    if (this.#draining || this.#leaving) connection.drain();
  }

  expired(): void {
    if (this.#exchange !== undefined) this.#exchange.onTimeout();
    else if (this.#socket.writableLength > 0 && this.#socket.writableLength !== this.#unsent) this.#waitForReader();
    else if (this.#closing || this.#pending.length === 0) this.#socket.destroy();
    else this.refuse(refusals.headTooSlow);
  }

  #pause(): void {
    this.#paused = true;
    this.#socket.pause();
  }

  /** Asking a stream that flows to flow costs more than parsing a request. */
  #resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
  }

  /** A caller that reads slowly has not got all of its answer yet: as long as it reads, it is waited for. */
  #waitForReader(): void {
    this.#unsent = this.#socket.writableLength;
    this.deadline = performance.now() + this.#context.limits.idleTimeout;
  }

  /** Sends what is written and closes, reading on for a moment. */
  #end(): void {
    this.#socket.end(() => this.deadline = performance.now() + LINGER);
    this.#close();
    if (this.#socket.writableLength > 0) this.#waitForReader();
    this.#resume();
  }

  #close(): void {
    this.#closing = true;
    this.#pending = NOTHING;
    this.deadline = performance.now() + LINGER;
  }
}
