import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { startProgress, withProgress } from "../../../../src/cli/terminal/progress.ts";
import { eventually } from "../../../world/eventually.ts";
import { FakeTerminal } from "../fake_terminal.ts";

test("progress: a terminal shows one line that changes, and vanishes when it is done", () => {
  const terminal = new FakeTerminal(80);
  const progress = startProgress("Waiting for the daemon", { output: terminal, delay: 0 });
  assert.deepEqual(terminal.screen, ["… Waiting for the daemon"]);
  progress.say("connecting to gw.example.com:2222");
  assert.deepEqual(terminal.screen, ["… Waiting for the daemon: connecting to gw.example.com:2222"]);
  progress.done();
  assert.deepEqual(terminal.screen, [""]);
  const before = terminal.written;
  progress.done();
  assert.equal(terminal.written, before);
});

test("progress: the line is shown after a moment and then counts the seconds", async () => {
  const terminal = new FakeTerminal(80);
  // What waits holds the process itself; progress never does.
  const hold = setInterval(() => {}, 50);
  const progress = startProgress("Making the key", { output: terminal, delay: 1 });
  try {
    assert.equal(terminal.written, "");
    await eventually("a second is shown", () => /^… Making the key \(\d+ s\)$/.test(terminal.screen[0] as string));
  } finally {
    progress.done();
    clearInterval(hold);
  }
});

test("progress: what takes no time is not shown at all", () => {
  const terminal = new FakeTerminal(80);
  const progress = startProgress("Making the key", { output: terminal });
  progress.say("almost");
  progress.done();
  assert.equal(terminal.written, "");
});

test("progress: the line never wraps, and nothing that it is told acts on the terminal", () => {
  const terminal = new FakeTerminal(30);
  const progress = startProgress("Waiting", { output: terminal, delay: 0 });
  progress.say(`for ${"x".repeat(40)}`);
  assert.deepEqual(terminal.screen, ["… Waiting: for xxxxxxxxxxxxx…"]);
  progress.say("a\x1b[2Jb\r\nc");
  assert.deepEqual(terminal.screen, ["… Waiting: ab c"]);
  progress.done();
});

test("progress: where there is no terminal it is one line, once patience is over", async () => {
  const hold = setInterval(() => {}, 50);
  const pipe = new FakeTerminal();
  const progress = startProgress("Waiting for the daemon", { output: pipe, patience: 1 });
  progress.say("connecting");
  assert.equal(pipe.written, "");
  await eventually("it is written", () => pipe.written !== "");
  progress.say("still connecting");
  progress.done();
  clearInterval(hold);
  assert.equal(pipe.written, "Waiting for the daemon: connecting …\n");
});

test("progress: a terminal that cannot go back in its line is no terminal", () => {
  const before = process.env["TERM"];
  process.env["TERM"] = "dumb";
  try {
    const terminal = new FakeTerminal(80);
    startProgress("Waiting", { output: terminal, delay: 0 }).done();
    assert.equal(terminal.written, "");
  } finally {
    if (before === undefined) delete process.env["TERM"];
    else process.env["TERM"] = before;
  }
});

test("progress: it ends with the work, also where that fails", async () => {
  const terminal = new FakeTerminal(80);
  const work = withProgress("Working", () => Promise.reject(new Error("no")), { output: terminal, delay: 0 });
  await assert.rejects(work, /no/);
  assert.deepEqual(terminal.screen, [""]);
  assert.equal(await withProgress("Working", () => 7, { output: terminal }), 7);
});
