import { appendFileSync } from "node:fs";
import process from "node:process";

/** One figure of a fault. */
export interface Figure {
  readonly fault: string;
  readonly what: string;
  readonly value: number;
  readonly unit: string;
}

/** Prints a figure, and keeps it for the table where PETIT_FAULTS_FIGURES names a file: one JSON object a line. */
export function figure(fault: string, what: string, value: number, unit: string): void {
  console.log(figureLine({ fault, what, value, unit }));
  const file = process.env["PETIT_FAULTS_FIGURES"];
  if (file !== undefined) appendFileSync(file, `${JSON.stringify({ fault, what, value, unit })}\n`);
}

/** A figure for people, on one line. */
export function figureLine({ fault, what, value, unit }: Figure): string {
  return `figure: ${fault}: ${what} ${Number(value.toFixed(2)).toLocaleString("en")}${unit === "" ? "" : ` ${unit}`}`;
}

/** Milliseconds since `begun` (performance.now()), as seconds. */
export function secondsSince(begun: number): number {
  return (performance.now() - begun) / 1000;
}
