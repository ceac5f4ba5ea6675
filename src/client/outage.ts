import { PetitError } from "../error.ts";

/** Errors that say that nobody is there to be disturbed: the network is away, or the server is. */
const NOBODY_THERE = new Set([
  "server-unreachable",
  "server-refused",
  "server-silent",
  "server-name-unknown",
  "connection-lost",
  "backchannel-lost",
  "backchannel-unreachable",
  "backchannel-silent",
]);

/** Milliseconds. */
const SHORTEST = 1000;

/** By what part of an outage it may be prolonged. */
const PART = 20;

/**
 * How long to wait at most before the next attempt: as long as nobody answers, a twentieth of the outage so far and a second at least, so
 * that a client is back soon after its network or its server is. A server that is there and refuses is left in peace for longer.
 *
 * @param error why the last attempt failed; undefined where its tunnel came about and ended soon
 * @param outage milliseconds since there was a tunnel
 * @returns milliseconds
 */
export function longestWait(error: unknown, outage: number): number {
  if (!(error instanceof PetitError) || !NOBODY_THERE.has(error.code)) return Infinity;
  return Math.max(SHORTEST, outage / PART);
}
