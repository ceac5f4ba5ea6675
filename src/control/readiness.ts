/** Whether everything works that a daemon is there for. */
export interface Readiness {
  /** A server listens on all of its ports; a client has just reached its services, from the server through its tunnel. */
  readonly ready: boolean;
  /** What is missing: sentences without full stop. Empty when it is ready. */
  readonly missing: readonly string[];
  /** Where callers go: for a server with REGID in the place of the id. */
  readonly endpoints: readonly string[];
  /** Tenants of a client that are paused, and not waited for; left out where there are none. */
  readonly paused?: readonly string[];
}
