import type { Registration } from "../../registry/registry.ts";
import type { PublicKey } from "../../tunnel/keys.ts";
import type { Session } from "../../tunnel/session.ts";
import type { GatewayParts } from "../gateway_parts.ts";
import type { ClientLogin } from "../login/client_login.ts";
import { ClientSessions } from "./client_sessions.ts";
import type { SshClient } from "./ssh_client.ts";

/** What only the connection itself knows. */
export type ClientConnection = Pick<SshClient, "address" | "software" | "own" | "hasForwards" | "forbidden">;

/** The client of one connection to the gateway as its sessions see it, and these sessions. */
export class GatewayClient implements SshClient {
  readonly #parts: GatewayParts;
  readonly #login: ClientLogin;
  readonly #connection: ClientConnection;
  #sessions: ClientSessions | undefined;
  /** Forwards that were asked for and are neither granted nor refused. */
  readonly #undecided = new Set<Promise<unknown>>();
  #hasRegistered = false;

  constructor(parts: GatewayParts, login: ClientLogin, connection: ClientConnection) {
    this.#parts = parts;
    this.#login = login;
    this.#connection = connection;
  }

  /** A request for a session; whoever takes it, or undefined to refuse. */
  takeSession(): ((session: Session) => void) | undefined {
    return this.#made.take();
  }

  /** It was refused something: whoever has a session reads it there. */
  refused(sentence: string): void {
    this.#made.refused(sentence);
  }

  /** It has asked for a forward, which is decided on. */
  decide<Granted>(forward: Promise<Granted>): Promise<Granted> {
    this.#undecided.add(forward);
    return forward.finally(() => this.#undecided.delete(forward));
  }

  /** Whether it has made a registration in a session. */
  get hasRegistered(): boolean {
    return this.#hasRegistered;
  }

  get user(): string {
    return this.#login.user;
  }

  get key(): PublicKey | undefined {
    return this.#login.key;
  }

  get join(): { readonly hash: string | null } | undefined {
    return this.#login.join;
  }

  get address(): string {
    return this.#connection.address;
  }

  get software(): string {
    return this.#connection.software;
  }

  get own(): readonly Registration[] {
    return this.#connection.own;
  }

  get hasForwards(): boolean {
    return this.#connection.hasForwards;
  }

  get refusals(): readonly string[] {
    return this.#made.refusals;
  }

  forwardsDecided(): Promise<unknown> {
    return Promise.allSettled(this.#undecided);
  }

  registered(): void {
    this.#hasRegistered = true;
  }

  forbidden(code: string, sentence: string): void {
    this.#connection.forbidden(code, sentence);
  }

  /** Made when they are needed: most connections have no session. */
  get #made(): ClientSessions {
    const hostKey = this.#parts.hostKeys.current.publicKey.fingerprint;
    return this.#sessions ??= new ClientSessions({ ...this.#parts, hostKey }, this);
  }
}
