import type { Output } from "../../../src/cli/terminal/terminal.ts";

/** An output that keeps what is written, as a terminal of some width or as a pipe. */
export class FakeTerminal implements Output {
  readonly isTTY: boolean;
  readonly columns: number | undefined;
  written = "";

  constructor(columns?: number) {
    this.isTTY = columns !== undefined;
    this.columns = columns;
  }

  write(text: string): void {
    this.written += text;
  }

  /** The lines that a person sees, after carriage returns and erased lines have done their work. */
  get screen(): string[] {
    return this.written.split("\n").map((line) => (line.split("\r").at(-1) as string).replace("\x1b[K", ""));
  }
}
