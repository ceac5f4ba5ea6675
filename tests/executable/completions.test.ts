import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { petit, petitExecutable } from "../world/executable.ts";
import { output } from "../world/processes.ts";
import { ShellTerminal } from "../world/shell_terminal.ts";
import { type Scope, temporaryFolder } from "../world/world.ts";

/** What a shell needs to be ready: its name, how it is started, what is typed first. */
const interactive = {
  bash: { command: "bash --norc --noprofile -i", first: "PS1='READY> '\r" },
  // The key completes only; by default zsh also expands what is typed, which runs $(…) whatever the command is.
  zsh: {
    command: "zsh -f -i",
    first: "PS1='READY> '; autoload -Uz compinit; compinit -D -u; bindkey '^I' complete-word\r",
  },
};

for (const [shell, { command, first }] of Object.entries(interactive)) {
  test(`completions: ${shell} completes commands, options, values and files at the Tab key`, {
    skip: missing(shell, "script"),
  }, async (t) => {
    const { folder, env } = place(t);
    const terminal = new ShellTerminal(t, command, folder, env);
    await terminal.until(/[$%#] $/);
    const typed = async (keys: string, shown: RegExp) => {
      terminal.type(keys);
      return await terminal.until(shown);
    };
    await typed(first, /READY> $/);
    await typed(`eval "$(petit completions ${shell})"\r`, /READY> $/);
    await typed("petit server addal\t", /petit server addalias $/);
    await typed("--con\t", /--config $/);
    await typed("some\t", /some file\.toml|some\\ file\.toml/);
    await typed(`\x15${petitExecutable} client regi\t`, /client register $/);
    await typed("\x15petit completions po\t", /petit completions powershell $/);
    // What was typed is never run.
    await typed("\x15petit server run $(touch ran)\t", /\$\(touch ran\)/);
    await typed("\x15petit vers\t", /petit version $/);
    assert.equal(existsSync(join(folder, "ran")), false);
  });
}

test(
  "completions: bash tells what each candidate does when it lists them",
  { skip: missing("bash", "script") },
  async (t) => {
    const { folder, env } = place(t);
    const terminal = new ShellTerminal(t, interactive.bash.command, folder, env);
    await terminal.until(/[$%#] $/);
    terminal.type(interactive.bash.first);
    await terminal.until(/READY> $/);
    terminal.type('eval "$(petit completions bash)"\r');
    await terminal.until(/READY> $/);
    terminal.type("petit serv\t\t");
    await terminal.until(/server +\(Run the server in the foreground\)\r\nservice +\(install, /);
  },
);

test(
  "completions: fish completes commands, options, values and files, with descriptions",
  { skip: missing("fish") },
  async (t) => {
    const { folder, env } = place(t);
    const complete = async (line: string) =>
      await output("fish", ["--no-config", "-c", 'petit completions fish | source; complete -C "$argv[1]"', line], {
        env,
        cwd: folder,
      });
    assert.match(await complete("petit server addal"), /^addalias\tReach a registration/);
    assert.match(await complete(`${petitExecutable} server addal`), /^addalias\t/);
    assert.match(await complete("petit server join --us"), /^--uses\thow many clients/);
    assert.equal((await complete("petit server join --config some")).trim(), "some file.toml");
    assert.equal((await complete("petit server join --config=some")).trim(), "--config=some file.toml");
    assert.deepEqual((await complete("petit completions ")).trim().split(/\s+/).sort(), [
      "bash",
      "fish",
      "powershell",
      "zsh",
    ]);
    assert.equal(await complete("petit server join --uses "), "");
  },
);

test("completions: the scripts are accepted by their shells", async (t) => {
  const { folder, env } = place(t);
  for (const shell of ["bash", "zsh", "fish"]) {
    if (missing(shell) !== false) continue;
    const script = join(folder, shell);
    writeFileSync(script, (await petit(["completions", shell])).stdout);
    assert.equal(await output(shell, ["-n", script], { env }), "");
  }
});

/** A folder with a file to complete, and an environment in which petit is found by its name. */
function place(t: Scope): { folder: string; env: Record<string, string> } {
  const folder = temporaryFolder(t);
  const bin = join(folder, "bin");
  mkdirSync(bin);
  symlinkSync(petitExecutable, join(bin, "petit"));
  writeFileSync(join(folder, "some file.toml"), "");
  return { folder, env: { HOME: folder, PATH: `${bin}:${process.env["PATH"]}` } };
}

/** Why a test is skipped, or false. */
function missing(...programs: string[]): string | false {
  const absent = programs.filter((program) => spawnSync(program, ["--version"]).error !== undefined);
  return absent.length > 0 && `${absent.join(", ")} not installed`;
}
