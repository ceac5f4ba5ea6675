import { stripVTControlCharacters } from "node:util";

/** A test that failed, and what its runtime printed about that. */
export interface Failure {
  /** With its file, as far as the runtime says so. */
  readonly name: string;
  readonly text: readonly string[];
}

/** What a runtime printed, without colours. */
export function plainLines(output: string): string[] {
  return stripVTControlCharacters(output).replaceAll("\r\n", "\n").split("\n");
}

const BUN_FILE = /^(\S+\.ts):$/;
const BUN_RESULT = /^\((pass|fail|skip|todo)\) (.*?)(?: \[[\d.]+m?s\])?$/;
const BUN_OUTSIDE = "# Unhandled error between tests";
const RULE = /^-{20,}$/;

/** Bun prints why a test failed above "(fail) NAME"; what goes wrong outside of a test stands between two rules. */
export function bunFailures(lines: readonly string[]): Failure[] {
  const failures: Failure[] = [];
  let file = "";
  let text: string[] = [];
  for (const line of lines) {
    // The names once more, and the counts.
    if (/^\s*\d+ (?:tests? failed:|pass)$/.test(line)) break;
    const heading = BUN_FILE.exec(line);
    const result = BUN_RESULT.exec(line);
    if (heading !== null) file = heading[1] as string;
    else if (result?.[1] === "fail") failures.push({ name: `${file}: ${result[2]}`, text });
    else if (RULE.test(line) && text[0] === BUN_OUTSIDE) {
      // The first of the two rules follows at once.
      if (text.length === 1) continue;
      failures.push({ name: `${file}: outside of its tests`, text: text.slice(1) });
    } else if (result === null) {
      if (line === BUN_OUTSIDE) text = [];
      text.push(line);
      continue;
    }
    text = [];
  }
  return failures;
}

const DENO_NAME = /^(?:(?<name>.+) => (?<file>\S+?)(?::\d+:\d+)?|(?<whole>\S+) \(uncaught error\))$/;

/** Deno lists what failed, and why, between the headings ERRORS and FAILURES. */
export function denoFailures(lines: readonly string[]): Failure[] {
  const from = lines.indexOf(" ERRORS ");
  const to = lines.lastIndexOf(" FAILURES ");
  const failures: { name: string; text: string[] }[] = [];
  for (const line of from < 0 ? [] : lines.slice(from + 1, to < 0 ? undefined : to)) {
    const found = DENO_NAME.exec(line)?.groups;
    if (found === undefined) failures.at(-1)?.text.push(line);
    else {
      const file = (found["file"] ?? found["whole"] ?? "").replace(/^\.\//, "");
      failures.push({ name: `${file}: ${found["name"] ?? "outside of its tests"}`, text: [] });
    }
  }
  return failures;
}

const PASSED = /^\((?:pass|skip|todo)\) | \.\.\. (?:ok|ignored) \(.*\)$/;
const HEADING = /^\S+\.ts:$|^running \d+ tests? from /;

/** All lines but those of tests that passed, and the names of files of which nothing else is told. */
export function withoutPassed(lines: readonly string[]): string[] {
  const kept: string[] = [];
  let heading: string | undefined;
  for (const line of lines) {
    if (HEADING.test(line)) heading = line;
    else if (line !== "" && !PASSED.test(line)) {
      if (heading !== undefined) kept.push(heading);
      heading = undefined;
      kept.push(line);
    }
  }
  return kept;
}

/** Lines for all failures together, so that the end of a log is enough to know what failed. */
const LINES = 70;
/** The least for each of them: the assertion's words stand within these. */
const LEAST = 6;

/** The heading of the report, by which .ci/run finds it. */
const WHAT_FAILED = "— What failed";

/** What failed and why, for the end of the log; the last lines, each beginning with "failed: ", are the names alone. */
export function failureReport(failures: readonly Failure[]): string[] {
  const each = Math.max(LEAST, Math.floor(LINES / failures.length));
  const details = failures.flatMap(({ name, text }) => ["", `✗ ${name}`, ...cut(essence(text), each)]);
  return failures.length === 0 ? [] : [WHAT_FAILED, ...details, "", ...failures.map(({ name }) => `failed: ${name}`)];
}

/** Without blank lines and the lines of source above the error, of which only the words count. */
function essence(text: readonly string[]): string[] {
  return text.filter((line) => line.trim() !== "" && !/^\s*\d+ \| /.test(line) && !/^\s*\^$/.test(line));
}

function cut(lines: string[], most: number): string[] {
  if (lines.length <= most) return lines;
  return [...lines.slice(0, most - 1), `… ${lines.length - most + 1} more lines above`];
}
