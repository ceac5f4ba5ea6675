import process from "node:process";

/** Whether the long form was asked for: `npm run faults`. */
export const isLong = process.env["PETIT_FAULTS"] === "long";

/** What is right for the form that runs. */
export function inForm<T>(short: T, long: T): T {
  return isLong ? long : short;
}

/** Minutes of the mixed load in the long form. */
export const mixedMinutes = Number(process.env["PETIT_FAULTS_MINUTES"] ?? 24);

/** What all chance is drawn from; printed, and given again, it makes the same choices. */
export const seed = Number(process.env["PETIT_FAULTS_SEED"] ?? Math.floor(Math.random() * 2 ** 31));

/** Milliseconds for a test of these; Bun's default of five seconds is for none of them. */
export const SLOW = { timeout: inForm(120_000, (mixedMinutes + 10) * 60_000) };
