import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, readdirSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import process from "node:process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { type LogSettings, openLog } from "../../../src/observe/open_log.ts";
import { runtimeName } from "../../../src/platform/runtime.ts";
import { temporaryFolder } from "../../world/world.ts";
import { linesOf } from "./log_files.ts";

const SETTINGS: LogSettings = {
  level: "info",
  name: "server",
  folder: "",
  maxSize: 1024 * 1024,
  maxFiles: 3,
  stderr: false,
};

const messages = (lines: string[]) => lines.map((line) => (JSON.parse(line) as { msg: string }).msg);

test("log: lines go to the file of the daemon and to the tail, as the same JSON", async (t) => {
  const folder = join(temporaryFolder(t), "logs");
  const { log, tail, close } = openLog({ ...SETTINGS, name: "client", folder });
  log.info({ id: "1001", channel: 3 }, "Hello");
  log.child({ tenant: "books" }).error({ code: "x" }, "Bad");
  await close();
  const lines = linesOf(join(folder, "client.log"));
  assert.deepEqual(lines, tail.last());
  const [first, second] = lines.map((line) => JSON.parse(line) as Record<string, unknown>);
  assert.match(first?.["time"] as string, /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
  assert.deepEqual({ ...first, time: "" }, { level: "info", time: "", id: "1001", channel: 3, msg: "Hello" });
  assert.deepEqual({ ...second, time: "" }, { level: "error", time: "", tenant: "books", code: "x", msg: "Bad" });
  assert.deepEqual(readdirSync(folder), ["client.log"]);
});

test("log: the level can be changed while it runs, for children made before and after", async () => {
  const { log, setLevel, tail, close } = openLog(SETTINGS);
  const child = log.child({ tenant: "books" });
  const grandchild = child.child({ id: "1001" });
  const say = (when: string) => {
    for (const each of [log, child, grandchild]) {
      each.debug(`debug ${when}`);
      each.warn(`warn ${when}`);
    }
  };
  say("at info");
  setLevel("debug");
  assert.equal(grandchild.isLevelEnabled("debug"), true);
  say("at debug");
  setLevel("error");
  say("at error");
  log.child({}).error("said");
  setLevel("silent");
  say("at silent");
  log.error("not said");
  await close();
  const three = (text: string) => [text, text, text];
  assert.deepEqual(messages(tail.last()), [
    ...three("warn at info"),
    ...["debug at debug", "warn at debug", "debug at debug", "warn at debug", "debug at debug", "warn at debug"],
    "said",
  ]);
});

test("log: after a restart the tail begins with what the file ends with", async (t) => {
  const folder = temporaryFolder(t);
  const before = openLog({ ...SETTINGS, folder });
  before.log.info("Before");
  await before.close();
  const after = openLog({ ...SETTINGS, folder });
  after.log.info("After");
  await after.close();
  assert.deepEqual(messages(after.tail.last()), ["Before", "After"]);
  assert.deepEqual(messages(linesOf(join(folder, "server.log"))), ["Before", "After"]);
});

test("log: without a folder nothing is written", async (t) => {
  const folder = temporaryFolder(t);
  const { log, tail, close } = openLog(SETTINGS);
  log.info("Hello");
  await close();
  assert.equal(tail.last().length, 1);
  assert.equal(existsSync(join(folder, "server.log")), false);
});

test("log: a folder that cannot be used is refused before the daemon begins", (t) => {
  const folder = join(temporaryFolder(t), "logs");
  writeFileSync(folder, "");
  assert.throws(() => openLog({ ...SETTINGS, folder }), { name: "PetitError", code: "log-unwritable" });
});

test("log: a field that would hold a secret does not show it", async () => {
  const { log, tail, close } = openLog(SETTINGS);
  log.info({ password: "hunter2", token: "hunter2", joinCode: "hunter2", privateKey: "hunter2" }, "Oops");
  await close();
  assert.equal(tail.last()[0]?.includes("hunter2"), false);
});

const SCRIPT = join(dirname(fileURLToPath(import.meta.url)), "log_to_stderr.ts");

test("log: on standard error that is no terminal the lines are the JSON of the file", async (t) => {
  const folder = temporaryFolder(t);
  const run = runtimeName().startsWith("deno") ? ["run", "--quiet", "--no-check", "--allow-all", SCRIPT] : [SCRIPT];
  const child = spawn(process.execPath, [...run, folder], { stdio: ["ignore", "ignore", "pipe"] });
  t.after(() => child.kill("SIGKILL"));
  let text = "";
  child.stderr.on("data", (bytes: Buffer) => text += bytes);
  const [code] = await once(child, "close");
  assert.equal(code, 0);
  assert.equal(text, `${linesOf(join(folder, "server.log")).join("\n")}\n`);
  assert.equal(text.split("\n").length, 1001);
});
