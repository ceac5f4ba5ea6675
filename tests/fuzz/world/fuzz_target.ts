import assert from "node:assert/strict";
import { appendFileSync, writeFileSync } from "node:fs";
import process from "node:process";
import test from "node:test";
import fc from "fast-check";
import { keepInput, keptInputs } from "./corpus.ts";
import { fuzzForm } from "./fuzz_form.ts";
import { mutated } from "./mutations.ts";

/** A parser, or a daemon's port, that gets hostile input. An input is bytes, whatever they mean, so that each can be kept as a file. */
export interface FuzzTarget {
  /** That of its folder in tests/fuzz/corpus. */
  readonly name: string;
  /** What mutations begin with, beside the kept inputs. */
  readonly seeds?: readonly (string | Buffer)[];
  /** What means something in the format. */
  readonly words?: readonly (string | Buffer)[];
  /** Inputs that are made by the rules of the format, beside the mutated ones. */
  readonly made?: readonly fc.Arbitrary<string | Buffer>[];
  /** How many inputs `npm test` tries. */
  readonly short: number;
  /** How many are made from one seed; 2,000 by default. */
  readonly batch?: number;
  /** Throws where anything but a declared answer or error comes of an input. */
  check(bytes: Buffer): void | Promise<void>;
  /** Called at the end: what all inputs together must not have done. */
  after?(): void | Promise<void>;
  /** Bytes of memory in use by whoever is fuzzed, after a collection; this process's by default. */
  memory?(): number | Promise<number>;
}

/** What the run of a target came to. */
export interface FuzzFigures {
  readonly target: string;
  readonly cases: number;
  /** Seconds, all of them. */
  readonly seconds: number;
  /** Milliseconds of the slowest input. */
  readonly slowest: number;
  /** MiB after a tenth of all inputs, and at the end. */
  readonly memory: readonly [before: number, after: number];
  readonly seed: number;
}

/** Milliseconds for one input. */
const HANG = 1000;

/**
 * MiB by which memory may have grown between a tenth of the inputs and the end: what the runtime's collector leaves lying. In the short
 * form, which all targets share a process for, that is more.
 */
const GROWTH = fuzzForm.long ? 64 : 256;

/** Bytes of a kept input that mutations begin with: what is large is there for its size, and slow. */
const LARGEST_SEED = 16 * 1024;

/** Registers the tests of a target: the kept inputs one by one, and as many mutated and made ones as the form asks for. */
export function fuzzTest(target: FuzzTarget): void {
  const kept = keptInputs(target.name);
  const seeds = [
    ...kept.map(({ bytes }) => bytes).filter(({ length }) => length <= LARGEST_SEED),
    ...(target.seeds ?? []).map((seed) => Buffer.from(seed as string)),
  ];
  test(`fuzz ${target.name}: all ${kept.length} kept inputs`, async () => {
    for (const { name, bytes } of kept) {
      try {
        await target.check(Buffer.from(bytes));
      } catch (cause) {
        throw new Error(`The kept input "${name}" of ${target.name} fails: ${said(cause)}`, { cause });
      }
    }
  });
  const inputs = fc.oneof(
    mutated(seeds, target.words),
    ...(target.made ?? []).map((made) => made.map((input) => Buffer.from(input as string))),
  );
  const timeout = fuzzForm.long ? 24 * 3_600_000 : 120_000;
  test(`fuzz ${target.name}: mutated and made inputs from seed ${fuzzForm.seed}`, { timeout }, async () => {
    const figures = await fuzz(target, inputs);
    tell(figures);
    const [before, after] = figures.memory;
    assert.ok(after - before <= GROWTH, `memory grew from ${before.toFixed(0)} to ${after.toFixed(0)} MiB`);
  });
}

async function fuzz(target: FuzzTarget, inputs: fc.Arbitrary<Buffer>): Promise<FuzzFigures> {
  const { time } = fuzzForm;
  const wanted = time === undefined ? fuzzForm.cases ?? target.short * fuzzForm.times : Infinity;
  const batch = Math.min(wanted, target.batch ?? 2000);
  const begun = performance.now();
  const slow = { longest: 0 };
  const memory = target.memory ?? ownMemory;
  let cases = 0;
  let before: number | undefined;
  const share = () => time === undefined ? cases / wanted : (performance.now() - begun) / time;
  for (let seed = fuzzForm.seed; share() < 1; seed++) {
    await runBatch(target, inputs, seed, Math.min(batch, wanted - cases), slow);
    cases += Math.min(batch, wanted - cases);
    if (share() >= 0.1) before ??= await memory();
  }
  const seconds = (performance.now() - begun) / 1000;
  await target.after?.();
  const after = await memory();
  const mebibytes = [before ?? after, after].map((bytes) => bytes / 1024 ** 2) as [number, number];
  return { target: target.name, cases, seconds, slowest: slow.longest, memory: mebibytes, seed: fuzzForm.seed };
}

async function runBatch(
  target: FuzzTarget,
  inputs: fc.Arbitrary<Buffer>,
  seed: number,
  numRuns: number,
  slow: { longest: number },
): Promise<void> {
  const once = async (bytes: Buffer): Promise<number> => {
    const begun = performance.now();
    const done = target.check(Buffer.from(bytes));
    if (done !== undefined) await done;
    return performance.now() - begun;
  };
  const property = fc.asyncProperty(inputs, async (bytes) => {
    let took = await once(bytes);
    // The machine may have been busy with something else: only what is slow each time is.
    for (let again = 0; took > HANG / 10 && again < 3; again++) took = Math.min(took, await once(bytes));
    slow.longest = Math.max(slow.longest, took);
    if (took > HANG) throw new Error(`An input of ${bytes.length} bytes takes ${Math.round(took)} ms`);
  });
  // Whoever runs this sees where it stands still.
  const progress = process.env["PETIT_FUZZ_PROGRESS"];
  if (progress !== undefined) writeFileSync(progress, `--only ${target.name} --seed ${seed} --cases ${numRuns}\n`);
  const result = await fc.check(property, { seed, numRuns });
  if (!result.failed) return;
  const bytes = result.counterexample?.[0] ?? Buffer.alloc(0);
  const where = fuzzForm.long
    ? `kept as ${keepInput(target.name, bytes)}`
    : `${bytes.length} bytes, base64: ${bytes.toString("base64").slice(0, 4000)}`;
  const cause = result.errorInstance;
  throw new Error(
    `${target.name} fails with an input (${where}): ${said(cause)}\n` +
      `Once more: npm run fuzz -- --only ${target.name} --seed ${seed} --cases ${numRuns}`,
    { cause },
  );
}

const said = (error: unknown) => error instanceof Error ? error.stack ?? error.message : String(error);

/** Bytes of resident memory after a collection. */
function ownMemory(): number {
  (globalThis as { Bun?: { gc(synchronously: boolean): void } }).Bun?.gc(true);
  return process.memoryUsage.rss();
}

function tell(figures: FuzzFigures): void {
  const { target, cases, seconds, slowest, memory: [before, after], seed } = figures;
  console.log(
    `fuzz: ${target}: ${cases.toLocaleString("en")} cases from seed ${seed}, ${Math.round(cases / seconds)}/s, ` +
      `slowest ${slowest.toFixed(1)} ms, memory ${before.toFixed(0)} to ${after.toFixed(0)} MiB`,
  );
  const file = process.env["PETIT_FUZZ_FIGURES"];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify(figures)}\n`);
}
