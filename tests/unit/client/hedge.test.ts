import assert from "node:assert/strict";
import test from "node:test";
import { hedged, type HedgedAttempt } from "../../../src/client/hedge.ts";

/** Attempts that end when they are told to. */
class Attempts {
  readonly begun: {
    signal: AbortSignal;
    resolve: (result: string) => void;
    reject: (error: unknown) => void;
    hangs: boolean;
  }[] = [];
  readonly discarded: string[] = [];
  readonly stop = new AbortController();
  readonly result: Promise<string>;

  constructor() {
    this.result = hedged((signal) => this.#begin(signal), {
      signal: this.stop.signal,
      most: 3,
      look: 1,
      discard: (result) => this.discarded.push(result),
    });
    this.result.catch(() => {});
  }

  #onBegun = () => {};

  #begin(signal: AbortSignal): HedgedAttempt<string> {
    let own!: Attempts["begun"][number];
    const result = new Promise<string>((resolve, reject) => own = { signal, resolve, reject, hangs: false });
    signal.addEventListener("abort", () => own.reject(signal.reason));
    this.begun.push(own);
    this.#onBegun();
    return { result, hangs: () => own.hangs };
  }

  /** Lets the newest attempt hang, and waits for the next one. */
  async hang(): Promise<void> {
    const begun = new Promise<void>((resolve) => this.#onBegun = resolve);
    const newest = this.begun.at(-1);
    if (newest) newest.hangs = true;
    await begun;
  }

  get aborted(): boolean[] {
    return this.begun.map(({ signal }) => signal.aborted);
  }
}

test("hedge: one attempt that succeeds is all there is", async () => {
  const attempts = new Attempts();
  attempts.begun[0]?.resolve("first");
  assert.equal(await attempts.result, "first");
  assert.deepEqual(attempts.aborted, [false]);
});

test("hedge: beside an attempt that hangs another begins, and the first that succeeds ends the others", async () => {
  const attempts = new Attempts();
  await attempts.hang();
  attempts.begun[1]?.resolve("second");
  assert.equal(await attempts.result, "second");
  assert.deepEqual(attempts.aborted, [true, false]);
});

test("hedge: the first attempt stays, and of the later ones the oldest gives way", async () => {
  const attempts = new Attempts();
  for (let i = 0; i < 4; i++) await attempts.hang();
  assert.deepEqual(attempts.aborted, [false, true, true, false, false]);
  attempts.begun[0]?.resolve("first");
  assert.equal(await attempts.result, "first");
});

test("hedge: an attempt that fails by itself is the answer, whatever the others might come to", async () => {
  const attempts = new Attempts();
  await attempts.hang();
  attempts.begun[1]?.reject(new Error("refused"));
  await assert.rejects(attempts.result, /refused/);
  assert.deepEqual(attempts.aborted, [true, true]);
});

test("hedge: what comes too late is taken back", async () => {
  const attempts = new Attempts();
  await attempts.hang();
  attempts.begun[1]?.resolve("second");
  attempts.begun[0]?.resolve("first");
  assert.equal(await attempts.result, "second");
  assert.deepEqual(attempts.discarded, ["first"]);
});

test("hedge: the signal ends all attempts", async () => {
  const attempts = new Attempts();
  await attempts.hang();
  attempts.stop.abort(new Error("stopped"));
  await assert.rejects(attempts.result, /stopped/);
  assert.deepEqual(attempts.aborted, [true, true]);
});
