import assert from "node:assert/strict";
import test from "node:test";
import {
  bunFailures,
  denoFailures,
  type Failure,
  failureReport,
  plainLines,
  withoutPassed,
} from "../../../scripts/test_report.ts";

const BUN = `
tests/a.test.ts:
(pass) first [4.88ms]
3 | test("second", () => assert.equal(1, 2));
                                ^
AssertionError: Expected values to be strictly equal:

1 !== 2

      at /home/tests/a.test.ts:3:60
(fail) second: of [two] things [2.40ms]
(skip) third
error: hook
(fail) group > fourth

tests/b.test.ts:

# Unhandled error between tests
-------------------------------
SyntaxError: Export named 'nope' not found
-------------------------------

(pass) fifth [0.01ms]

2 tests failed:
(fail) second: of [two] things [2.40ms]
(fail) group > fourth

 2 pass
 3 fail
`;

const DENO = `running 2 tests from ./tests/a.test.ts
\u001b[0mfirst ... \u001b[32mok\u001b[0m (1ms)
second ... FAILED (2ms)
running 1 test from ./tests/c.test.ts
third ... ok (3ms)
Uncaught error from ./tests/b.test.ts FAILED

\u001b[0m\u001b[41m ERRORS \u001b[0m

second => ./tests/a.test.ts:3:1
error: AssertionError: Expected values to be strictly equal:

1 !== 2

./tests/b.test.ts (uncaught error)
error: SyntaxError: no export named 'nope'

 FAILURES

second => ./tests/a.test.ts:3:1

FAILED | 2 passed | 2 failed (1s)
`.replace("\n FAILURES\n", "\n FAILURES \n");

const names = (failures: readonly Failure[]) => failures.map(({ name }) => name);

test("test report: a failed test of Bun has its file, its name and what was printed above it", () => {
  const failures = bunFailures(plainLines(BUN));
  assert.deepEqual(names(failures), [
    "tests/a.test.ts: second: of [two] things",
    "tests/a.test.ts: group > fourth",
    "tests/b.test.ts: outside of its tests",
  ]);
  const [second, fourth, outside] = failures as [Failure, Failure, Failure];
  assert.ok(second.text.includes("1 !== 2"));
  assert.deepEqual(fourth.text, ["error: hook"], "nothing of the tests before");
  assert.deepEqual(outside.text, ["SyntaxError: Export named 'nope' not found"]);
});

test("test report: a failed test of Deno has its file, its name and its error, in colours or not", () => {
  const failures = denoFailures(plainLines(DENO));
  assert.deepEqual(names(failures), ["tests/a.test.ts: second", "tests/b.test.ts: outside of its tests"]);
  assert.ok(failures[0]?.text.includes("1 !== 2"));
  assert.ok(failures[1]?.text.includes("error: SyntaxError: no export named 'nope'"));
});

test("test report: runs without failures have none", () => {
  assert.deepEqual(bunFailures(plainLines("tests/a.test.ts:\n(pass) first [1ms]\n\n 1 pass\n 0 fail\n")), []);
  assert.deepEqual(denoFailures(plainLines("first ... ok (1ms)\n\nok | 1 passed | 0 failed (1s)\n")), []);
  assert.deepEqual(failureReport([]), []);
});

test("test report: of what passed nothing is left but what was printed, below its file, and the counts", () => {
  const bun =
    "tests/a.test.ts:\n(pass) first [1ms]\n\ntests/b.test.ts:\nhello\n(pass) second [1ms]\n(skip) third\n\n 2 pass\n";
  assert.deepEqual(withoutPassed(plainLines(bun)), ["tests/b.test.ts:", "hello", " 2 pass"]);
  const left = withoutPassed(plainLines(DENO));
  assert.deepEqual(left.slice(0, 2), ["running 2 tests from ./tests/a.test.ts", "second ... FAILED (2ms)"]);
  assert.ok(left.every((line) => !line.startsWith("third") && !line.startsWith("first")));
  assert.ok(left.includes("FAILED | 2 passed | 2 failed (1s)"));
});

test("test report: it ends with the names, and the words of the assertions fit into the end of a log", () => {
  const text = [..."abcdefghi"].map((letter) => `${letter} | source`);
  const one = { name: "Bun: one", text: ["3 | source", "    ^", "", "AssertionError: 1 !== 2", ...text] };
  const report = failureReport([one]);
  assert.equal(report[0], "— What failed");
  assert.deepEqual(report.slice(1, 4), ["", "✗ Bun: one", "AssertionError: 1 !== 2"]);
  assert.equal(report.at(-1), "failed: Bun: one");
  const long = Array.from({ length: 5 }, (_, i) => ({ name: `${i}`, text: Array.from({ length: 300 }, () => "x") }));
  const cut = failureReport(long);
  assert.ok(cut.length < 100, `${cut.length} lines`);
  assert.deepEqual(cut.slice(-5), long.map(({ name }) => `failed: ${name}`));
  assert.ok(cut.includes("… 287 more lines above"));
});
