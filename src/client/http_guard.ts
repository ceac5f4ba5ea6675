import type { Socket } from "node:net";
import { BodyReader, chunkOf, lastChunk } from "../http/body.ts";
import { isToken, valueOf } from "../http/fields.ts";
import { isAmbiguous, requestFraming, responseFraming } from "../http/framing.ts";
import { GatheredHead } from "../http/gathered_head.ts";
import { parseRequestHead, parseResponseHead } from "../http/head.ts";
import { MessageError } from "../http/message_error.ts";
import { refusalBytes } from "../http/refusal_bytes.ts";
import type { Channel } from "../tunnel/channel.ts";
import type { Between } from "../tunnel/splice.ts";
import { asksForUpgrade, type HttpRules, whyNotAllowed } from "./allow_list.ts";

/** Bytes of a head. The server has limits of its own, which are not for this client to rely on. */
const MAX_HEAD = 256 * 1024;

/** Bytes of further requests that may wait here for the answer to the first of them. */
const MAX_KEPT = 64 * 1024;

/** Characters of the first word of a request that is looked at before its line is complete. */
const LONGEST_METHOD = 32;

const NOTHING: Buffer = Buffer.alloc(0);

/** One request, and what became of it. */
export interface GuardedRequest {
  /** In milliseconds since 1970. */
  readonly at: number;
  readonly method: string;
  readonly target: string;
  /** Whose it is, as the server says. */
  readonly forwardedFor: string | undefined;
  /** The status of the answer, the client's own in a refusal; 0 where there was none. */
  readonly status: number;
  /** Milliseconds until the answer, or until there could be none any more. */
  readonly milliseconds: number;
  /** Why it was not allowed. */
  readonly refused?: string;
}

/** A request whose answer is not over. */
interface Current {
  readonly method: string;
  readonly target: string;
  readonly forwardedFor: string | undefined;
  readonly at: number;
  readonly begun: number;
  readonly chunked: boolean;
  readonly body: BodyReader;
  readonly upgrades: boolean;
  /** Of the answer, once its head has come. */
  answer: BodyReader | undefined;
  /** Where the answer ends can be read in two ways: what follows it need not be the answer to what follows the request. */
  last: boolean;
  told: boolean;
}

/**
 * Stands between a channel and an HTTP service, and lets through what the rules allow. Every request is read, one after the other: the next
 * one goes to the service when the answer to the one before it is over, so that a refusal comes in its place. What cannot be read in one way
 * only is refused, and what is passed on is framed anew, so that the service reads the same requests as were checked here.
 */
export class HttpGuard implements Between {
  readonly settled = false;
  readonly #channel: Channel;
  readonly #socket: Socket;
  readonly #rules: HttpRules;
  readonly #onRequest: (request: GuardedRequest) => void;
  readonly #onBroken: (why: "caller-reset" | "service-invalid") => void;
  /** "switched": another protocol, which is none of the guard's business. "over": nothing more is passed on to the service. */
  #state: "http" | "switched" | "over" = "http";
  #requestHead = new GatheredHead(MAX_HEAD, true);
  #responseHead = new GatheredHead(MAX_HEAD, false);
  #current: Current | undefined;
  #kept: Buffer[] = [];
  #keptBytes = 0;
  #channelEnded = false;

  /**
   * @param onRequest told of each request, once it is known what came of it
   * @param onBroken told where the guard has to break the connection off
   */
  constructor(
    channel: Channel,
    socket: Socket,
    rules: HttpRules,
    onRequest: (request: GuardedRequest) => void,
    onBroken: (why: "caller-reset" | "service-invalid") => void,
  ) {
    this.#channel = channel;
    this.#socket = socket;
    this.#rules = rules;
    this.#onRequest = onRequest;
    this.#onBroken = onBroken;
  }

  get keepsBytes(): boolean {
    return this.#keptBytes > 0;
  }

  fromChannel(chunk: Buffer): Buffer {
    if (this.#state === "switched") return chunk;
    if (this.#state === "over") {
      // Nobody would answer it.
      this.#socket.destroy();
      return NOTHING;
    }
    if (this.#keptBytes > 0) {
      this.#keep(chunk);
      return NOTHING;
    }
    return this.#read(chunk);
  }

  fromSocket(chunk: Buffer): Buffer {
    if (this.#state !== "http") return chunk;
    try {
      this.#readAnswer(chunk);
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      // Where this answer ends, and the next one begins, cannot be told.
      this.#onBroken("service-invalid");
      this.#breakOff();
      return NOTHING;
    }
    return chunk;
  }

  socketEnded(): void {
    this.#tell(0);
  }

  channelEnded(): void {
    this.#channelEnded = true;
  }

  /** Nobody is there any more for the answers that bytes on their way may be waiting for. */
  channelCut(): void {
    if (this.#state !== "http") return;
    this.#onBroken("caller-reset");
    this.#breakOff();
  }

  /** The connection is gone. */
  over(): void {
    this.#tell(0);
    this.#end();
  }

  /** Reads what comes from the channel; returns what is for the service. */
  #read(bytes: Buffer): Buffer {
    const out: Buffer[] = [];
    let rest = bytes;
    try {
      while (rest.length > 0 && this.#state === "http") {
        const current = this.#current;
        if (current === undefined) rest = this.#readHead(rest, out);
        else if (!current.body.done) rest = this.#readBody(rest, current, out);
        else {
          this.#keep(rest);
          break;
        }
      }
    } catch (error) {
      if (!(error instanceof MessageError)) throw error;
      this.#refuseUnreadable(error);
    }
    return out.length === 1 ? out[0] as Buffer : Buffer.concat(out);
  }

  #readBody(bytes: Buffer, { body, chunked }: Current, out: Buffer[]): Buffer {
    const used = body.read(bytes, (piece) => out.push(chunked ? chunkOf(piece) : piece));
    if (body.done) {
      if (chunked) out.push(lastChunk(body.trailers));
      // The answer may have been over before.
      if (this.#current?.answer?.done) {
        if (this.#current.last) this.#endWithAnswer();
        this.#current = undefined;
      }
    }
    return used === bytes.length ? NOTHING : bytes.subarray(used);
  }

  #readHead(bytes: Buffer, out: Buffer[]): Buffer {
    const gathered = this.#requestHead.take(bytes);
    if (gathered === undefined) {
      refuseOtherProtocols(this.#requestHead.partial);
      return NOTHING;
    }
    const head = parseRequestHead(gathered.head);
    const framing = requestFraming(head);
    const { method, target } = head;
    const forwardedFor = valueOf(head.fields, "x-forwarded-for");
    const begun = { method, target, forwardedFor, at: Date.now(), begun: performance.now() };
    const why = whyNotAllowed(head, framing.kind !== "none", this.#rules);
    if (why !== undefined) {
      const message = `The customer's side does not allow this request: ${why}.`;
      this.#onRequest({ ...begun, status: 403, milliseconds: 0, refused: why });
      this.#refuse(403, "not-allowed-by-client", message, method === "HEAD");
      return NOTHING;
    }
    this.#current = {
      ...begun,
      chunked: framing.kind === "chunked",
      body: new BodyReader(framing),
      upgrades: asksForUpgrade(head),
      answer: undefined,
      last: false,
      told: false,
    };
    out.push(gathered.head);
    return gathered.rest;
  }

  #readAnswer(bytes: Buffer): void {
    let rest = bytes;
    while (rest.length > 0 && this.#state === "http") {
      const current = this.#current;
      // A service that speaks unasked, to say that it has waited long enough, closes the connection next.
      if (current === undefined) return this.#spokenUnasked();
      if (current.answer === undefined) rest = this.#readAnswerHead(rest, current);
      else {
        const used = current.answer.read(rest, () => {});
        rest = rest.subarray(used);
      }
      if (current.answer?.done && current.body.done) {
        this.#current = undefined;
        if (current.last) return this.#endWithAnswer();
        if (this.#keptBytes > 0) queueMicrotask(this.#proceed);
      } else if (current.answer?.done && rest.length > 0) return this.#spokenUnasked();
    }
  }

  #readAnswerHead(bytes: Buffer, current: Current): Buffer {
    const gathered = this.#responseHead.take(bytes);
    if (gathered === undefined) return NOTHING;
    const head = parseResponseHead(gathered.head);
    if (head.status === 101) {
      if (!current.upgrades) throw new MessageError("The service switches to a protocol that nobody asked for");
      this.#tell(101);
      this.#state = "switched";
      // Not before what the service said has been passed on.
      queueMicrotask(this.#proceed);
    } else if (head.status >= 200) {
      this.#tell(head.status);
      current.answer = new BodyReader(responseFraming(current.method, head));
      current.last = isAmbiguous(current.method, head);
    }
    return gathered.rest;
  }

  /** Goes on with what waits, where it need not wait any more. */
  readonly #proceed = (): void => {
    if (this.#keptBytes === 0 || (this.#state === "http" && this.#current?.body.done === true)) return;
    const kept = Buffer.concat(this.#kept);
    this.#kept = [];
    this.#keptBytes = 0;
    const bytes = this.#state === "switched" ? kept : this.#state === "over" ? NOTHING : this.#read(kept);
    const more = bytes.length === 0 || this.#socket.destroyed || this.#socket.write(bytes);
    if (this.#keptBytes > 0) return;
    if (this.#channelEnded) this.#socket.end();
    if (more) this.#channel.resume();
  };

  #keep(bytes: Buffer): void {
    // A copy: the bytes are parts of packets.
    this.#kept.push(Buffer.from(bytes));
    this.#keptBytes += bytes.length;
    if (this.#keptBytes > MAX_KEPT) this.#channel.pause();
  }

  #refuseUnreadable({ status, code, message }: MessageError): void {
    const begun = { method: "", target: "", forwardedFor: undefined, at: Date.now() };
    this.#onRequest({ ...begun, status, milliseconds: 0, refused: `it is not HTTP/1 as it should be: ${message}` });
    // In the middle of an answer there is no place for another one.
    if (this.#current?.answer !== undefined || this.#responseHead.partial.length > 0) this.#breakOff();
    else this.#refuse(status, code, `${message}.`, false);
  }

  /** Ends the connection, once what the service said has been passed on. */
  #endWithAnswer(): void {
    this.#end();
    queueMicrotask(() => {
      this.#channel.finish();
      this.#socket.destroySoon();
    });
  }

  #breakOff(): void {
    this.#end();
    this.#channel.close();
    this.#socket.destroy();
  }

  /** What the service says now is the answer to no request. */
  #spokenUnasked(): void {
    this.#end();
    if (this.#channelEnded) this.#socket.end();
    queueMicrotask(() => this.#channel.resume());
  }

  /** Answers in the place of the service, and ends the connection. */
  #refuse(status: number, code: string, message: string, withoutBody: boolean): void {
    this.#end();
    this.#channel.write(refusalBytes({ status, code, message }, { close: true, withoutBody }));
    this.#channel.finish();
    this.#socket.destroy();
  }

  /** Nothing is passed on to the service any more. */
  #end(): void {
    this.#state = "over";
    this.#kept = [];
    this.#keptBytes = 0;
  }

  #tell(status: number): void {
    const current = this.#current;
    if (current === undefined || current.told) return;
    current.told = true;
    const { method, target, forwardedFor, at, begun } = current;
    this.#onRequest({ method, target, forwardedFor, at, status, milliseconds: performance.now() - begun });
  }
}

/** What can be no request, however it goes on, need not be waited for. @throws MessageError */
function refuseOtherProtocols(bytes: Buffer): void {
  const start = bytes.toString("latin1", 0, Math.min(bytes.length, LONGEST_METHOD + 1));
  const space = start.indexOf(" ");
  const word = space < 0 ? start.replace(/\r$/, "") : start.slice(0, space);
  if (word !== "" && (!isToken(word) || word.length > LONGEST_METHOD)) {
    throw new MessageError("What came is not HTTP/1");
  }
  const line = bytes.indexOf("\r\n");
  if (line >= 0 && !/ HTTP\/\d\.\d$/.test(bytes.toString("latin1", Math.max(0, line - 16), line))) {
    throw new MessageError("What came is not HTTP/1");
  }
}
