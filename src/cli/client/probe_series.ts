import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { messageOf, PetitError } from "../../error.ts";
import type { Invocation } from "../commands/command.ts";
import { roundTrips, roundTripsText } from "./round_trips.ts";
import { printable } from "../../text_width.ts";
import { textValue } from "../values.ts";

/** How a command probes: COUNT times, one each INTERVAL. */
export interface Pace {
  /** Infinity until it is interrupted. */
  readonly count: number;
  /** Milliseconds from one to the next. */
  readonly interval: number;
}

/** Reads `--count` and `--interval`. @throws PetitError `usage` */
export function paceOf(invocation: Invocation): Pace {
  const count = textValue(invocation, "count") ?? "4";
  const interval = textValue(invocation, "interval") ?? "1";
  if (!/^\d{1,9}$/.test(count)) {
    throw new PetitError("usage", `"${count}" is not a number of probes`, {
      hint: "Wanted: a whole number; 0 goes on until Ctrl-C",
      exitCode: 2,
    });
  }
  const seconds = Number(interval);
  if (!/^\d{1,6}(\.\d{1,3})?$/.test(interval) || seconds < 0.01) {
    throw new PetitError("usage", `"${interval}" is not an interval`, {
      hint: "Wanted: seconds, such as 1 or 0.2, and at least 0.01",
      exitCode: 2,
    });
  }
  return { count: count === "0" ? Infinity : Number(count), interval: seconds * 1000 };
}

/** What came of probing one thing once. */
export interface Outcome {
  /** Who answered, or who did not: "Answer from gw.example.com:2222". */
  readonly told: string;
  /** From question to answer; null where there was none. */
  readonly milliseconds: number | null;
  readonly code?: string;
  readonly error?: string;
  /** What --json tells beside that. */
  readonly facts?: object;
}

export interface ProbeSeries {
  /**
   * Probes each thing there is once.
   * @throws PetitError where nothing came of it: one that a repetition will not change (exit code 2 or 3) ends the series
   */
  probe(): Promise<readonly Outcome[]>;
  readonly pace: Pace;
  /** Of what is probed, for --json. */
  readonly facts: object;
  readonly json: boolean;
  /** Ends the series early; what was under way then is not counted. */
  readonly signal: AbortSignal;
}

/**
 * Probes, and prints a line for each probe and the summary at the end.
 *
 * @returns the exit code: 1 when nothing was answered
 */
export async function probeSeries({ probe, pace, facts, json, signal }: ProbeSeries): Promise<number> {
  const probes: { seq: number; outcome: Outcome }[] = [];
  const say = (line: string) => json || process.stdout.write(`${line}\n`);
  const interrupted = new Promise<"interrupted">((resolve) => {
    signal.addEventListener("abort", () => resolve("interrupted"), { once: true });
  });
  for (let seq = 1; seq <= pace.count && !signal.aborted; seq++) {
    const begun = performance.now();
    const outcomes = await Promise.race([probe().catch(failed), interrupted]);
    if (outcomes === "interrupted") break;
    for (const outcome of outcomes) {
      probes.push({ seq, outcome });
      say(lineOf(seq, outcome));
    }
    if (seq === pace.count) break;
    await sleep(Math.max(0, pace.interval - (performance.now() - begun)), undefined, { signal }).catch(() => {});
  }
  const times = probes.flatMap(({ outcome: { milliseconds } }) => milliseconds === null ? [] : [milliseconds]);
  const result = roundTrips(probes.length, times);
  say(`\n${roundTripsText(result)}`);
  if (json) {
    const each = probes.map(({ seq, outcome: { told: _, milliseconds, facts, ...why } }) => ({
      seq,
      ...facts,
      milliseconds: milliseconds === null ? null : Math.round(milliseconds * 1000) / 1000,
      ...why,
    }));
    process.stdout.write(`${JSON.stringify({ ...facts, ...result, probes: each })}\n`);
  }
  return times.length > 0 ? 0 : 1;
}

/** Codes of what does not change by itself within a series. */
const FINAL = ["tenant-unknown", "not-registered"];

function failed(error: unknown): Outcome[] {
  const { code, exitCode } = error instanceof PetitError ? error : { code: "internal", exitCode: 1 };
  if (exitCode !== 1 || FINAL.includes(code)) throw error;
  return [{ told: "No answer", milliseconds: null, code, error: messageOf(error) }];
}

function lineOf(seq: number, { told, milliseconds, error }: Outcome): string {
  const what = milliseconds === null ? error : `time=${milliseconds.toFixed(milliseconds < 10 ? 2 : 1)} ms`;
  return printable(`${told}: seq=${seq} ${what}`);
}
