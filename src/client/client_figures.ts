/** What is counted since the start of a client, for its metrics. */
export interface ClientFigures {
  /** Tunnels that stood. */
  tunnels: number;
  /** Callers whose service could not be reached. */
  dialFailures: number;
}
