import { type DisconnectCode, disconnectCode } from "../tunnel/disconnect_cause.ts";

/** The end of one tunnel, as each side saw it. */
export interface Disconnect {
  /** When the server saw it or, where it did not, was told of it; in milliseconds since 1970. */
  readonly at: number;
  /** The name that both sides have for the tunnel. */
  readonly tunnel: string;
  /** Registrations that it carried. */
  readonly ids: readonly string[];
  /** Address of the client; null where the server did not see the end. */
  readonly address: string | null;
  /** How long the tunnel stood, in milliseconds; null where nobody knows. */
  readonly lasted: number | null;
  /** Why it ended, as the server saw it; null where it did not, because it was not running or its record was lost. */
  readonly cause: string | null;
  readonly code: DisconnectCode | null;
  /** When, by the client's clock, which may be wrong; null until its client has told of it. */
  readonly clientAt: number | null;
  /** Why, as the client saw it; null until it has told. */
  readonly clientCause: string | null;
  readonly clientCode: DisconnectCode | null;
}

/** What one of the sides knows of the end of a tunnel, or both together; codes follow from causes. */
export type DisconnectFacts = Omit<Disconnect, "code" | "clientCode">;

export function withCodes(facts: DisconnectFacts): Disconnect {
  const { cause, clientCause } = facts;
  return {
    ...facts,
    code: cause === null ? null : disconnectCode(cause),
    clientCode: clientCause === null ? null : disconnectCode(clientCause),
  };
}

/** Two reports of the same end as one. Either may come first; of what both tell, the server's own word counts. */
export function together(first: DisconnectFacts, second: DisconnectFacts): DisconnectFacts {
  const seen = first.cause === null && second.cause !== null ? second : first;
  const other = seen === first ? second : first;
  const told = first.clientCause === null ? second : first;
  const { clientAt, clientCause } = told;
  return { ...seen, lasted: seen.lasted ?? other.lasted, clientAt, clientCause };
}
