import type { Socket } from "node:net";
import type { Peer } from "./forwarded_fields.ts";
import type { Refusal } from "./refusal.ts";
import type { UpgradedConnection } from "./upgraded_connection.ts";

/** What an exchange needs of the connection that its request came on. */
export interface Caller {
  readonly peer: Peer;
  /** Whether the connection may serve another request after this one. */
  readonly mayPersist: boolean;
  /** Bytes of its request that wait in memory. */
  readonly waitingBytes: number;
  /** Sends bytes of an answer; false asks to wait for `onCallerDrain`. */
  write(bytes: Buffer): boolean;
  /** The exchange can take bytes of the body (again). */
  bodyWanted(): void;
  /** Sets when `onTimeout` of the exchange is due, in milliseconds from now; Infinity for never. */
  timeoutIn(milliseconds: number): void;
  /** The answer is complete. `keep`: the connection may serve another request. */
  finished(keep: boolean): void;
  /** Answers with a refusal instead of the service. */
  refuse(refusal: Refusal): void;
  /** The answer breaks off, because of what `code` names: the caller must not take it for complete. */
  abort(code: string): void;
  /** Reports an error that is petit's own. */
  fault(error: unknown): void;
  /** Hands over the socket, and what has been read of it, for an upgraded connection. */
  handOver(): { socket: Socket; early: Buffer };
  /** What became of the connection that was handed over. */
  upgraded(connection: UpgradedConnection): void;
}
