import process from "node:process";
import { readMachineTimes, timesWithEnded } from "./proc.ts";

/** How much of the processors was taken from the measurements, as parts of 1. */
export interface Disturbance {
  /** By programs that have nothing to do with them. */
  readonly others: number;
  /** By the host, where this is a virtual machine. */
  readonly host: number;
}

/** Begins to watch; the function that it returns says what has been seen until then. */
export function watchDisturbance(): () => Disturbance {
  const before = reading();
  return () => {
    const after = reading();
    const all = after.all - before.all;
    const others = (after.busy - before.busy) - (after.own - before.own);
    return { others: Math.max(0, others) / all, host: (after.stolen - before.stolen) / all };
  };
}

/** Interrupts count on both sides: what they take is part of the time of whatever program they interrupt. */
function reading(): { all: number; busy: number; stolen: number; own: number } {
  return { ...readMachineTimes(), own: timesWithEnded(process.pid) };
}
