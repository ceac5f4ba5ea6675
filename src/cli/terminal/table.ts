import process from "node:process";
import { paint } from "./colours.ts";
import { columnsOf } from "./terminal.ts";
import { printable, textWidth, truncated } from "../../text_width.ts";

/** One column of a table of rows of type `Row`. */
export interface Column<Row> {
  readonly title: string;
  /** What stands in it; what is undefined or blank is shown as "-". Numbers are right-aligned. */
  readonly value: (row: Row) => string | number | undefined;
  /** To the right also where the values are texts, such as sizes with a unit. */
  readonly right?: boolean;
  /** May lose its end when the table is wider than the terminal, down to this many columns. Without it nothing is lost. */
  readonly atLeast?: number;
}

/** Between two columns. */
const GAP = "  ";

/**
 * A table for people, with a head, one line for each row and a line feed at the end of each. On a terminal it is as wide as that at most, as far as
 * the columns' `atLeast` allow it; elsewhere nothing is cut off. Texts are made printable.
 *
 * @param width columns there are; by default those of the terminal on standard output
 */
export function table<Row>(
  columns: readonly Column<Row>[],
  rows: readonly Row[],
  width: number = columnsOf(process.stdout) ?? Infinity,
): string {
  const cells = rows.map((row) => columns.map(({ value }) => value(row)));
  const texts = cells.map((row) => row.map((cell) => printable(String(cell ?? "")).trim() || "-"));
  const natural = columns.map(({ title }, i) =>
    texts.reduce((widest, row) => Math.max(widest, textWidth(row[i] as string)), textWidth(title))
  );
  const widths = fitted(columns, natural, width);
  const right = columns.map((column, i) => column.right ?? cells.some((row) => typeof row[i] === "number"));
  const line = (row: readonly string[]) =>
    row.map((text, i) => {
      const space = widths[i] as number;
      const shown = truncated(text, space);
      const padding = " ".repeat(space - textWidth(shown));
      return right[i] ? padding + shown : shown + padding;
    }).join(GAP).trimEnd();
  const head = paint("bold", line(columns.map(({ title }) => title)));
  return [head, ...texts.map(line)].map((text) => `${text}\n`).join("");
}

/** The widths with which the table fits, or nearly: always the widest of those that may shrink loses one. */
function fitted(columns: readonly Column<never>[], natural: readonly number[], width: number): number[] {
  const widths = [...natural];
  let surplus = widths.reduce((sum, one) => sum + one, GAP.length * (widths.length - 1)) - width;
  for (; surplus > 0 && surplus !== Infinity; surplus--) {
    let widest = -1;
    columns.forEach(({ atLeast = Infinity }, i) => {
      const own = widths[i] as number;
      if (own > atLeast && own > (widths[widest] ?? 0)) widest = i;
    });
    if (widest === -1) break;
    widths[widest] = (widths[widest] as number) - 1;
  }
  return widths;
}
