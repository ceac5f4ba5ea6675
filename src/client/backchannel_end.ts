import type { ClientMessage, ServerMessage } from "../tunnel/messages.ts";

/** What the server says unasked. */
export type Notice = ServerMessage & { type: "reconnect1" };

/** The client's end of a backchannel: in the SSH connection (backchannel.ts), or beside it with a server of 0.6.x (legacy/). */
export interface BackchannelEnd {
  /** Whether the server is one of 0.6.x. */
  readonly legacy: boolean;
  /** Whether it leads through another SSH server than petit's, which has the ports. */
  readonly throughSshd: boolean;
  /** Told what the server says unasked. */
  onNotice: (notice: Notice) => void;
  /** Told when the server has given this client up and the SSH connection stands: callers do not come any more. The cause is as of disconnect_cause.ts. */
  onLost: (cause: string) => void;
  /**
   * Sends a message and waits for its answer.
   * @throws PetitError with the server's code and sentence where it refuses; `backchannel-lost`, `message-invalid`
   */
  ask<Type extends ServerMessage["type"]>(message: ClientMessage, type: Type): Promise<ServerMessage & { type: Type }>;
  close(): void;
}
