import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import test from "node:test";
import { stripVTControlCharacters } from "node:util";
import { petit, petitExecutable } from "../world/executable.ts";
import { output } from "../world/processes.ts";

const skip = spawnSync("script", ["--version"]).error !== undefined && "script is not installed";

/** What a command prints on a terminal of so many columns. */
async function onTerminal(columns: number, args: string, env: Record<string, string>): Promise<string[]> {
  const command = `unset FORCE_COLOR CI; stty cols ${columns}; '${petitExecutable}' ${args}`;
  const text = await output("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    env: { TERM: "xterm", NO_COLOR: "", ...env },
  });
  return text.split("\r\n");
}

test("terminal: help is as wide as the terminal, and has colours there only, not with NO_COLOR or on a dumb one", {
  skip,
}, async () => {
  const coloured = (lines: string[]) => lines.some((line) => line.includes("\x1b["));
  const narrow = await onTerminal(56, "help", {});
  assert.ok(coloured(narrow));
  const widths = narrow.map((line) => stripVTControlCharacters(line).length);
  assert.ok(Math.max(...widths) <= 56, narrow.join("\n"));
  assert.ok((await onTerminal(100, "help", {})).length < narrow.length);
  assert.equal(coloured(await onTerminal(80, "help", { NO_COLOR: "1" })), false);
  assert.equal(coloured(await onTerminal(80, "help", { TERM: "dumb" })), false);
  const { stdout } = await petit(["help"], { env: { NO_COLOR: "" } });
  assert.equal(coloured(stdout.split("\n")), false);
});

test("terminal: the steps of the demo have colours there only", { skip }, async () => {
  const lines = await onTerminal(100, "demo --once", {});
  assert.ok(lines.some((line) => line.includes("\x1b[32m✓\x1b[39m Tunnel")), lines.join("\n"));
  const plain = await onTerminal(100, "demo --once", { NO_COLOR: "1" });
  assert.ok(plain.some((line) => line.includes("✓ Tunnel")));
  assert.ok(plain.every((line) => !/\x1b\[\d+m/.test(line)));
});
