import process from "node:process";

/** What is written to: `process.stdout`, `process.stderr`, or a stand-in for them. */
export interface Output {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** Whether a line that is there can be changed: a terminal that knows the cursor's escape sequences. */
export function canRewrite(output: Output): boolean {
  return output.isTTY === true && process.env["TERM"] !== "dumb";
}

/** The width of the terminal in columns, or undefined where there is none or where it does not tell. */
export function columnsOf(output: Output): number | undefined {
  // A terminal without a known size says 0.
  return output.isTTY === true && output.columns !== undefined && output.columns > 0 ? output.columns : undefined;
}
