import { BodyReader, chunkOf, lastChunk } from "../http/body.ts";
import { valueOf } from "../http/fields.ts";
import { type Framing, isAmbiguous, persists, responseFraming } from "../http/framing.ts";
import { headEnd, parseResponseHead, type RequestHead, type ResponseHead } from "../http/head.ts";
import { MessageError } from "../http/message_error.ts";
import type { Registration } from "../registry/registry.ts";
import type { ChannelUser } from "../tunnel/channel.ts";
import type { DuplexChannel } from "../tunnel/duplex_channel.ts";
import type { Caller } from "./caller.ts";
import { IDLE_LIMIT } from "./channel_pool.ts";
import { endWhenSilent } from "./end_when_silent.ts";
import type { ExchangeRecord } from "./exchange_record.ts";
import type { Peer } from "./forwarded_fields.ts";
import { GatheredOutput } from "./gathered_output.ts";
import { isLoopbackProbe } from "./legacy/loopback_probe.ts";
import { type Refusal, refusalOf, refusals } from "./refusal.ts";
import type { RequestTarget } from "./request_target.ts";
import { expectsContinue, mayBeMissed, requestedUpgrade, requestForService } from "./request_rewrite.ts";
import {
  agreedProtocol,
  type Delivery,
  deliveryOf,
  interimForCaller,
  keepAliveHint,
  responseForCaller,
  switchingForCaller,
} from "./response_rewrite.ts";
import { type ReachContext, ServiceReach, type Traveller } from "./service_reach.ts";
import type { Served } from "./tunnels.ts";
import { UpgradedConnection } from "./upgraded_connection.ts";

/** Limits of an exchange: milliseconds and bytes. */
export interface ExchangeLimits {
  readonly openTimeout: number;
  readonly serviceTimeout: number;
  readonly holdFor: number;
  /** 0 is for ever, as is the next one. */
  readonly answerTimeout: number;
  readonly requestTimeout: number;
  readonly connectionTimeout: number;
  readonly maxHeadSize: number;
  /** 0 is any size. */
  readonly maxBodySize: number;
}

export interface ExchangeContext extends ReachContext {
  readonly limits: ExchangeLimits;
}

/** RFC 9110, section 9.2.2: doing these twice is the same as doing them once. */
const IDEMPOTENT = new Set(["GET", "HEAD", "OPTIONS", "TRACE", "PUT", "DELETE"]);

const NOTHING: Buffer = Buffer.alloc(0);

/** An answer whose head has come. */
interface Answer {
  readonly head: ResponseHead;
  readonly framing: Framing;
  readonly body: BodyReader;
  readonly delivery: Delivery;
  /** Whether the caller was promised that its connection stays open. */
  readonly keep: boolean;
}

/**
 * One request and its answer: caller → channel → service and back.
 *
 * The passes, in order: a channel (an idle one, or a new one); the head of the request; its body, as it comes; 1xx answers; the
 * head of the answer; its body, as it comes; and the decision whether either connection can be used again.
 */
export class Exchange implements ChannelUser, Traveller {
  readonly #caller: Caller;
  readonly #reach: ServiceReach;
  readonly #context: ExchangeContext;
  readonly #head: RequestHead;
  readonly #target: RequestTarget;
  readonly #framing: Framing;
  readonly #upgrade: readonly string[] | undefined;
  readonly #body: BodyReader;
  readonly #record: ExchangeRecord;

  #served: Served | undefined;
  #channel: DuplexChannel | undefined;
  #reused = false;
  /** Some of the body has been sent down a tunnel. */
  #bodyBegun = false;
  #waitsForService = false;
  /** The caller sends its body only once the service asks for it. */
  #waitsForContinue: boolean;
  /** Bytes of a head that is not complete. */
  #partial = NOTHING;
  #heard = false;
  #answer: Answer | undefined;
  readonly #out: GatheredOutput;
  #over = false;
  /** When all of it has to be over, in milliseconds of `performance.now()`. */
  readonly #until: number;
  #bodySize = 0;

  /** @throws MessageError where the caller expects what nobody knows */
  constructor(
    caller: Caller,
    registration: Registration,
    head: RequestHead,
    target: RequestTarget,
    framing: Framing,
    context: ExchangeContext,
    record: ExchangeRecord,
  ) {
    this.#caller = caller;
    this.#out = new GatheredOutput(caller);
    this.#reach = new ServiceReach(registration, context, this);
    this.#context = context;
    this.#record = record;
    const { requestTimeout } = context.limits;
    this.#until = requestTimeout === 0 ? Infinity : performance.now() + requestTimeout;
    this.#head = head;
    this.#target = target;
    this.#framing = framing;
    this.#upgrade = requestedUpgrade(head, framing);
    this.#body = new BodyReader(framing);
    this.#waitsForContinue = expectsContinue(head, framing);
  }

  /** Whether bytes of the answer may have reached the caller. */
  get answering(): boolean {
    return this.#answer !== undefined;
  }

  /** Whether the whole request has been read. */
  get requestRead(): boolean {
    return this.#body.done;
  }

  start(): void {
    if (this.#over) return;
    const { maxBodySize } = this.#context.limits;
    if (maxBodySize > 0 && this.#framing.kind === "length" && this.#framing.length > maxBodySize) {
      return this.#fail(refusals.bodyTooLarge);
    }
    this.#timeoutIn(Infinity);
    this.#reach.start(!isLoopbackProbe(this.#head, this.#target));
  }

  get peer(): Peer {
    return this.#caller.peer;
  }

  get waitingBytes(): number {
    return this.#caller.waitingBytes;
  }

  notReached(code: string, cause: string | null): void {
    if (this.#over) return;
    if (cause !== null) this.#record.cause = cause;
    this.#fail(refusalOf(code));
  }

  reached(served: Served, channel: DuplexChannel, reused: boolean): void {
    if (this.#over) return channel.close();
    this.#served = served;
    this.#channel = channel;
    this.#reused = reused;
    this.#record.channel = channel.incoming.id;
    this.#timeoutIn(this.#context.limits.serviceTimeout);
    if (isLoopbackProbe(this.#head, this.#target)) channel.onFirst = undefined;
    channel.attach(this);
    const bytes = requestForService(this.#head, this.#target, this.#framing, this.#caller.peer, this.#upgrade);
    this.#waitsForService = !channel.write(bytes);
    if (!this.#body.done) this.#caller.bodyWanted();
  }

  /**
   * Takes bytes that follow the head on the caller's connection; returns how many it could use now.
   * @throws MessageError where chunked framing is broken
   */
  takeBody(bytes: Buffer): number {
    const channel = this.#channel;
    if (channel === undefined || this.#waitsForService || this.#over) return 0;
    this.#waitsForContinue = false;
    this.#bodyBegun = true;
    const { maxBodySize } = this.#context.limits;
    const used = this.#body.read(bytes, (piece) => {
      this.#bodySize += piece.length;
      if (!channel.write(this.#framing.kind === "chunked" ? chunkOf(piece) : piece)) this.#waitsForService = true;
    });
    if (maxBodySize > 0 && this.#bodySize > maxBodySize) {
      this.#fail(refusals.bodyTooLarge);
      return used;
    }
    if (this.#body.done && this.#framing.kind === "chunked") channel.write(lastChunk(this.#body.trailers));
    if (this.#answer === undefined) this.#timeoutIn(this.#context.limits.serviceTimeout);
    return used;
  }

  onDrain(): void {
    this.#waitsForService = false;
    if (!this.#body.done) this.#caller.bodyWanted();
  }

  onData(bytes: Buffer): void {
    if (this.#over) return;
    this.#heard = true;
    try {
      this.#readAnswer(bytes);
    } catch (error) {
      if (!(error instanceof MessageError)) this.#caller.fault(error);
      this.#fail(refusals.serviceInvalid);
    }
  }

  #readAnswer(bytes: Buffer): void {
    let rest = bytes;
    while (this.#answer === undefined) {
      const searched = this.#partial.length;
      if (searched > 0) rest = Buffer.concat([this.#partial, rest]);
      const end = headEnd(rest, searched);
      if (end < 0 ? rest.length > this.#context.limits.maxHeadSize : end > this.#context.limits.maxHeadSize) {
        throw new MessageError("The head is too large");
      }
      this.#partial = end < 0 ? rest : NOTHING;
      if (end < 0) return;
      const head = parseResponseHead(rest.subarray(0, end));
      rest = rest.subarray(end);
      if (head.status === 101) return this.#switchProtocols(head, rest);
      if (head.status >= 200) this.#beginAnswer(head);
      // RFC 9110, section 15.2: an HTTP/1.0 caller knows no 1xx answer.
      else if (this.#head.minor === 1) {
        if (head.status === 100) this.#waitsForContinue = false;
        // A service may send any number of them to a caller that reads none.
        if (!this.#caller.write(interimForCaller(head))) this.#channel?.pause();
      }
      if (head.status < 200 && rest.length === 0) return;
    }
    this.#relay(rest);
  }

  #beginAnswer(head: ResponseHead): void {
    const framing = responseFraming(this.#head.method, head);
    const delivery = deliveryOf(framing, this.#head.minor);
    const keep = this.#caller.mayPersist && persists(this.#head) && delivery !== "until-close" && this.#body.done;
    const connection = !keep ? "close" : this.#head.minor === 0 ? "keep-alive" : undefined;
    this.#answer = { head, framing, body: new BodyReader(framing), delivery, keep };
    this.#record.answered(head.status);
    this.#out.add(Buffer.from(responseForCaller(head, framing, delivery, connection), "latin1"));
  }

  #relay(bytes: Buffer): void {
    const answer = this.#answer;
    if (answer === undefined) return;
    this.#progress();
    const chunked = answer.delivery === "chunked";
    const used = answer.body.read(bytes, (piece) => this.#out.add(chunked ? chunkOf(piece) : piece));
    if (answer.body.done) {
      if (chunked) this.#out.add(lastChunk(answer.body.trailers));
      // Whatever follows an answer belongs to no request.
      this.#complete(used === bytes.length);
    } else if (!this.#out.flush()) this.#channel?.pause();
  }

  onCallerDrain(): void {
    if (this.#answer !== undefined) this.#progress();
    this.#channel?.resume();
  }

  /** The service will send no more. */
  onEnd(): void {
    if (this.#over) return;
    if (this.#answer?.framing.kind === "until-close") {
      if (this.#answer.delivery === "chunked") this.#out.add(lastChunk([]));
      this.#complete(false);
    } else this.#brokenOff(refusals.serviceClosed);
  }

  onClose(): void {
    if (!this.#over) this.#brokenOff(this.#served?.lost ? refusals.tunnelLost : refusals.serviceClosed);
  }

  #brokenOff(refusal: Refusal): void {
    // Only what may be done twice is sent again, and only where nothing came back.
    const repeatable = !this.#heard && !this.#bodyBegun && IDEMPOTENT.has(this.#head.method);
    const lost = refusal === refusals.tunnelLost;
    // An idle connection that the service closed while the request was on its way: nobody has seen the request.
    const wasIdle = this.#reused && this.#framing.kind === "none";
    if (!repeatable || !(lost || wasIdle)) {
      if (!lost && !this.#heard && !this.#reused) this.#record.cause = this.#served?.unanswered() ?? this.#record.cause;
      return this.#fail(refusal);
    }
    this.#dropChannel();
    this.#waitsForService = false;
    this.#timeoutIn(Infinity);
    if (!this.#reach.again()) this.#fail(refusal);
  }

  /** The answer goes on. */
  #progress(): void {
    const { answerTimeout } = this.#context.limits;
    this.#timeoutIn(answerTimeout === 0 ? Infinity : answerTimeout);
  }

  /** @param milliseconds until `onTimeout` is due; sooner where the whole request has no longer */
  #timeoutIn(milliseconds: number): void {
    this.#caller.timeoutIn(
      this.#until === Infinity ? milliseconds : Math.min(milliseconds, this.#until - performance.now()),
    );
  }

  onTimeout(): void {
    if (performance.now() >= this.#until) return this.#fail(refusals.requestTooLong);
    if (this.#answer !== undefined) return this.#fail(refusals.answerStalled);
    const callerIsSlow = !this.#body.done && !this.#waitsForService && !this.#waitsForContinue;
    this.#fail(callerIsSlow ? refusals.bodyTooSlow : refusals.serviceSilent);
  }

  /** The caller went away: the work for it stops. */
  onCallerGone(): void {
    this.#over = true;
    this.#reach.giveUp();
    this.#dropChannel();
  }

  #dropChannel(): void {
    this.#channel?.detach();
    this.#channel?.close();
    this.#channel = undefined;
  }

  #fail(refusal: Refusal): void {
    if (this.#over) return;
    this.#over = true;
    this.#reach.giveUp();
    this.#dropChannel();
    if (this.#answer === undefined) this.#caller.refuse(refusal);
    else this.#caller.abort(refusal.code);
  }

  #complete(clean: boolean): void {
    const channel = this.#channel as DuplexChannel;
    const { head, framing, keep } = this.#answer as Answer;
    this.#over = true;
    this.#channel = undefined;
    channel.detach();
    // What came of an answer whose end is in doubt, or may still come, must not be the beginning of the next one.
    const certain = framing.kind !== "until-close" && !isAmbiguous(this.#head.method, head) &&
      !mayBeMissed(this.#head, this.#framing);
    const reusable = clean && certain && this.#body.done && persists(head);
    const served = this.#served as Served;
    if (reusable && served.alive) served.pool.put(channel, Math.min(keepAliveHint(head), IDLE_LIMIT));
    // In order, where nothing was left open: the client logs how a connection ended, and its service should not be reset.
    else if (this.#body.done) channel.finish();
    else channel.close();
    this.#out.flush();
    this.#caller.finished(keep);
  }

  /** RFC 9110, section 7.8: from here on the two connections are one, in whatever protocol. */
  #switchProtocols(head: ResponseHead, early: Buffer): void {
    const protocol = agreedProtocol(head, this.#upgrade);
    if (protocol === undefined) throw new MessageError("The service switches to a protocol that nobody asked for");
    const channel = this.#channel as DuplexChannel;
    const served = this.#served as Served;
    this.#over = true;
    this.#timeoutIn(Infinity);
    const caller = this.#caller.handOver();
    endWhenSilent(caller.socket, this.#context.limits.connectionTimeout);
    const answer = switchingForCaller(head, protocol);
    const record = this.#record;
    record.answered(head.status);
    record.sent += answer.length + early.length;
    record.join(channel, "upgrade");
    caller.socket.write(early.length > 0 ? Buffer.concat([answer, early]) : answer);
    const connection = new UpgradedConnection(
      {
        socket: caller.socket,
        channel,
        record,
        webSocket: protocol.toLowerCase() === "websocket" && valueOf(head.fields, "sec-websocket-accept") !== undefined,
        callerEarly: caller.early,
        serviceEarly: early,
      },
      () => served.upgradeOver(connection),
    );
    served.upgraded(connection);
    this.#caller.upgraded(connection);
  }
}
