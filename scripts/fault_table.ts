/** One figure as tests/faults/world/figure.ts keeps it: a JSON object a line. */
interface Figure {
  readonly fault: string;
  readonly what: string;
  readonly value: number | null;
  readonly unit: string;
}

/** The figures of a run for people: what went wrong once, and below it each figure. */
export function faultTable(lines: readonly string[]): string {
  const figures = lines.filter((line) => line !== "").map((line) => JSON.parse(line) as Figure);
  if (figures.length === 0) return "No figures were taken";
  const width = Math.max(...figures.map(({ what }) => what.length));
  const values = figures.map(({ value }) => value === null ? "–" : Number(value.toFixed(2)).toLocaleString("en"));
  const digits = Math.max(...values.map((value) => value.length));
  let fault = "";
  return figures.flatMap((figure, index) => {
    const { what, unit } = figure;
    const line = `  ${what.padEnd(width)}  ${(values[index] as string).padStart(digits)} ${unit}`.trimEnd();
    if (figure.fault === fault) return [line];
    fault = figure.fault;
    return [fault, line];
  }).join("\n");
}
