import process from "node:process";

/** How much is tried: the short form is part of `npm test`, the long one is `npm run fuzz`. */
export interface FuzzForm {
  readonly long: boolean;
  /** All chance is drawn from it; given again, it makes the same inputs. */
  readonly seed: number;
  /** Inputs for each target; undefined is the target's own short number, `times` over. */
  readonly cases: number | undefined;
  readonly times: number;
  /** Milliseconds for each target, whatever the number of inputs. */
  readonly time: number | undefined;
}

const { PETIT_FUZZ, PETIT_FUZZ_SEED, PETIT_FUZZ_CASES, PETIT_FUZZ_TIMES, PETIT_FUZZ_TIME } = process.env;

export const fuzzForm: FuzzForm = {
  long: PETIT_FUZZ === "long",
  seed: Number(PETIT_FUZZ_SEED ?? 1),
  cases: PETIT_FUZZ_CASES === undefined ? undefined : Number(PETIT_FUZZ_CASES),
  times: Number(PETIT_FUZZ_TIMES ?? 1),
  time: PETIT_FUZZ_TIME === undefined ? undefined : Number(PETIT_FUZZ_TIME),
};
