import type { Socket } from "node:net";
import { messageOf } from "../error.ts";
import type { Log } from "../observe/log.ts";
import type { OnceAMinute } from "../observe/once_a_minute.ts";
import { resetConnection } from "../platform/reset.ts";
import type { Channel } from "../tunnel/channel.ts";
import type { IncomingOpen } from "../tunnel/link.ts";
import { splice } from "../tunnel/splice.ts";
import type { ServiceEvidence } from "../tunnel/service_evidence.ts";
import type { HttpRules } from "./allow_list.ts";
import type { ClientFigures } from "./client_figures.ts";
import { dial, type Service } from "./dial.ts";
import { type GuardedRequest, HttpGuard } from "./http_guard.ts";
import type { InboundFacts, InboundLog, InboundOutcome } from "./inbound_log.ts";
import type { RegisteredTenant } from "./tenants.ts";

/** The tunnel that a connection came through. */
export interface Carrier {
  readonly id: string;
  /** Whether it is still there. */
  readonly alive: boolean;
}

/** What is needed to serve one connection. */
export interface AcceptParts {
  readonly facts: InboundFacts;
  readonly carrier: Carrier;
  /** Undefined where nothing is read of what passes. */
  readonly rules: HttpRules | undefined;
  /** Milliseconds to reach the service. */
  readonly timeout: number;
  /** Of the tenant. */
  readonly log: Log;
  readonly noise: OnceAMinute;
  readonly figures: ClientFigures;
  /** Of the service. */
  readonly evidence: ServiceEvidence;
  readonly record: InboundLog | undefined;
  onGone(): void;
}

/**
 * A connection that came through the tunnel, joined to the service of a tenant. The channel is accepted once the service is reached, so
 * that the server knows of a service that refuses.
 */
export class InboundConnection {
  /** As it was when the connection came. */
  readonly tenant: RegisteredTenant;
  readonly #forwarded: IncomingOpen;
  readonly #parts: AcceptParts;
  readonly #begun = performance.now();
  #channel: Channel | undefined;
  #socket: Socket | undefined;
  #outcome: InboundOutcome | undefined;
  #cause: string | undefined;

  constructor(forwarded: IncomingOpen, tenant: RegisteredTenant, parts: AcceptParts) {
    this.#forwarded = forwarded;
    this.tenant = tenant;
    this.#parts = parts;
  }

  get rules(): HttpRules | undefined {
    return this.#parts.rules;
  }

  get by(): InboundFacts["by"] {
    return this.#parts.facts.by;
  }

  start(): void {
    const { timeout, facts, evidence } = this.#parts;
    dial(this.tenant.local, timeout).then(
      (socket) => {
        const now = performance.now();
        evidence.reached(now, now - this.#begun, facts.by, false);
        if (this.#outcome === undefined) this.#join(socket);
        else socket.destroy();
      },
      (error) => {
        if (this.#outcome === undefined) this.#notReached(messageOf(error));
      },
    );
  }

  /** Breaks it off, for both sides. */
  cut(outcome: InboundOutcome): void {
    if (this.#outcome === undefined) this.#outcome = outcome;
    if (this.#channel === undefined) {
      this.#forwarded.refuse(REFUSED_LATE);
      return this.#over();
    }
    this.#channel.close();
    if (this.#socket !== undefined) resetConnection(this.#socket);
  }

  #join(socket: Socket): void {
    const { log, rules } = this.#parts;
    log.debug(this.#fields, `A channel was connected to the service ${this.#where}`);
    const channel = this.#channel = this.#forwarded.accept();
    this.#socket = socket;
    const guard = rules === undefined
      ? undefined
      : new HttpGuard(channel, socket, rules, (request) => this.#requested(request), (why) => this.#outcome ??= why);
    splice(
      channel,
      socket,
      (error) => {
        guard?.over();
        // What is a caller that left to splice is a service here: the socket is the service's.
        if (error === "caller-left") this.#outcome ??= "service-reset";
        else if (error === "reset") this.#outcome ??= this.#parts.carrier.alive ? "caller-reset" : "tunnel-lost";
      },
      () => this.#over(),
      guard,
    );
  }

  #requested(request: GuardedRequest): void {
    const { record, facts, noise, log } = this.#parts;
    record?.request(facts, request);
    const { refused: why } = request;
    if (why === undefined) return;
    this.#outcome ??= "refused-http";
    this.#cause ??= why;
    noise.tell(`refused-http ${this.tenant.name}`, (repeated) => {
      const { address, channel } = facts;
      log.warn({ code: "not-allowed-by-client", address, channel, repeated }, `A request was refused: ${why}`);
    });
  }

  #notReached(why: string): void {
    const { facts, figures, evidence, noise, log } = this.#parts;
    const where = this.#where;
    figures.dialFailures++;
    evidence.failed(performance.now(), "service-refused", why, facts.by);
    noise.tell(`service ${where}`, (repeated) => {
      const hint = certificateHint(this.tenant.local, why);
      const code = hint === undefined ? "service-refused" : "service-certificate";
      log.warn({ ...this.#fields, code, repeated, hint }, `Cannot reach the service ${where}: ${why}`);
    });
    this.#outcome = "service-refused";
    this.#cause = why;
    this.#forwarded.refuse(why);
    this.#over();
  }

  #over(): void {
    const { record, facts, onGone } = this.#parts;
    record?.connection(facts, {
      outcome: this.#outcome ??= "ok",
      cause: this.#cause,
      bytesIn: this.#channel?.bytesIn ?? 0,
      bytesOut: this.#channel?.bytesOut ?? 0,
      milliseconds: performance.now() - this.#begun,
    });
    onGone();
  }

  get #where(): string {
    return `${this.tenant.local.host}:${this.tenant.local.port}`;
  }

  get #fields(): { channel: number; address: string } {
    return { channel: this.#parts.facts.channel, address: this.#parts.facts.address };
  }
}

const REFUSED_LATE = "The client lets nobody in there any more";

/** What OpenSSL and Node call a certificate that does not verify. */
const CERTIFICATE = /CERT|SELF_SIGNED|UNABLE_TO_(?:GET|VERIFY)|ALTNAME|ISSUER/;

/** What to do about a certificate that does not verify; undefined where that is not what is wrong. */
export function certificateHint({ tls, tlsVerify, host }: Service, reason: string): string | undefined {
  if (!tls || !tlsVerify || !CERTIFICATE.test(reason)) return undefined;
  return `Its certificate is not one for "${host}" that this machine trusts: set tlsCa to the file of its authority, or tlsVerify to false where the way to it is safe`;
}
