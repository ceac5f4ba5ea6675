import { PetitError } from "../error.ts";

/** Backchannels of one key at the same time: half a message may wait in each, and each probe of a tenant has one of its own. */
export const MAX_BACKCHANNELS = 64;

/** Milliseconds of silence after which one gives way to a newer one: its client has lost it, and the system does not know yet. */
const LOST_AFTER = 60_000;

/** A backchannel, as far as it is counted. */
export interface CountedBackchannel {
  /** When something was heard from there last, by `performance.now()`. */
  readonly heardAt: number;
  destroy(): void;
}

/** The backchannels of those who have proven their keys, by the keys' fingerprints. */
export class KeyBackchannels {
  readonly #byKey = new Map<string, Set<CountedBackchannel>>();

  /** @throws PetitError `channel-refused` where its key has too many */
  add(fingerprint: string, backchannel: CountedBackchannel): void {
    const others = this.#byKey.get(fingerprint) ?? new Set();
    if (others.size >= MAX_BACKCHANNELS) {
      const [quietest] = [...others].sort((one, other) => one.heardAt - other.heardAt);
      if (quietest === undefined || performance.now() - quietest.heardAt < LOST_AFTER) {
        throw new PetitError("channel-refused", `This client has ${MAX_BACKCHANNELS} backchannels open already`);
      }
      others.delete(quietest);
      quietest.destroy();
    }
    this.#byKey.set(fingerprint, others.add(backchannel));
  }

  /** It is gone. */
  delete(fingerprint: string, backchannel: CountedBackchannel): void {
    const others = this.#byKey.get(fingerprint);
    others?.delete(backchannel);
    if (others?.size === 0) this.#byKey.delete(fingerprint);
  }
}
