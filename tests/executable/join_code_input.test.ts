import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { petit, petitExecutable, ServerProcess } from "../world/executable.ts";
import { ShellTerminal } from "../world/shell_terminal.ts";
import { temporaryFolder } from "../world/world.ts";

const SLOW = { timeout: 120_000 };
const SCRIPT = {
  ...SLOW,
  skip: spawnSync("script", ["--version"]).error !== undefined && "script is not installed",
};

async function serverWithCode(t: TestContext): Promise<{ code: string; folder: string; args: string[] }> {
  const server = await (await ServerProcess.init(t)).start();
  const folder = temporaryFolder(t);
  return { code: await server.joinCode(), folder, args: ["client", "register", "-c", join(folder, "config.toml")] };
}

test("register: a join code comes by standard input, so that no other user sees it", SLOW, async (t) => {
  const { code, folder, args } = await serverWithCode(t);
  const without = await petit([...args, "-"], { env: { HOME: folder }, input: "" });
  assert.match(without.stderr, /no join code on standard input/);
  const { code: exit, stdout, stderr } = await petit([...args, "-"], { env: { HOME: folder }, input: `${code}\r\n` });
  assert.equal(exit, 0, stderr);
  assert.match(stdout, /Registered as/);
  assert.ok(!stdout.includes(code) && !stderr.includes(code));
});

test("register: without a code and a terminal it waits for nothing, and says what is missing", SLOW, async (t) => {
  const folder = temporaryFolder(t);
  const { code, stderr } = await petit(["client", "register", "-c", join(folder, "config.toml")], {
    env: { HOME: folder },
    input: "petit-whatever\n",
  });
  assert.equal(code, 2);
  assert.match(stderr, /A join code is needed[^]*register -/);
});

test("register: on a terminal the code is asked for, and what is typed is not shown", SCRIPT, async (t) => {
  const { code, folder, args } = await serverWithCode(t);
  const terminal = new ShellTerminal(t, `'${petitExecutable}' ${args.join(" ")}; echo exit $?`, folder, {
    HOME: folder,
  });
  await terminal.until(/Join code \(it is not shown\): $/);
  // With a slip of the finger that is taken back.
  terminal.type(`x\x7f${code}\r`);
  const shown = await terminal.until(/exit \d/);
  assert.match(shown, /Registered as[^]*exit 0/);
  assert.ok(!shown.includes(code.slice(-20)), shown);
});

test("register: whoever thinks better of it at the question has changed nothing", SCRIPT, async (t) => {
  const folder = temporaryFolder(t);
  const command = `'${petitExecutable}' client register -c ${folder}/config.toml; echo exit $?`;
  const terminal = new ShellTerminal(t, command, folder, { HOME: folder });
  await terminal.until(/not shown\): $/);
  terminal.type("\x03");
  assert.match(await terminal.until(/exit \d/), /petit: Interrupted[^]*exit 1/);
  assert.equal(existsSync(join(folder, "config.toml")), false);
});
