/** What a relay does to the bytes of one direction. */
export interface DirectionFaults {
  /** Milliseconds that each byte is under way. */
  latency: number;
  /** Up to so many milliseconds more, left to chance; the order stays. */
  jitter: number;
  /** Bytes a second; Infinity is no limit. */
  bandwidth: number;
  /**
   * A black hole: "stall" keeps the bytes, as TCP does, and they flow again once it is healed; "drop" loses them, and each
   * end still believes in its connection. A FIN and a reset fare as the bytes do.
   */
  hole: "none" | "stall" | "drop";
  /** Bytes handed on by one write at most; 1 makes a packet of each. */
  slice: number;
  /** Milliseconds by which a FIN is later than the last byte. */
  closeDelay: number;
  /** A connection is reset, to both ends, once so many of its bytes have been handed on. */
  resetAfter: number;
  /** A connection is a black hole ("drop"), in both directions and for good, once so many of its bytes have been handed on. */
  silentAfter: number;
}

/** What becomes of new connections: "silent" ones are accepted, and nothing ever answers. */
export type Accepting = "yes" | "silent" | "refuse";

/** A relay's faults; those left out of a change stay as they are. */
export interface Faults {
  /** From whoever connects to the target. */
  up: DirectionFaults;
  /** From the target to whoever connected. */
  down: DirectionFaults;
  accepting: Accepting;
}

/** A line without any fault. */
export const healthy: Readonly<DirectionFaults> = Object.freeze({
  latency: 0,
  jitter: 0,
  bandwidth: Infinity,
  hole: "none",
  slice: Infinity,
  closeDelay: 0,
  resetAfter: Infinity,
  silentAfter: Infinity,
});
