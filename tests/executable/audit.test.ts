import assert from "node:assert/strict";
import { chownSync, existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import process from "node:process";
import test from "node:test";
import { eventually } from "../world/eventually.ts";
import { petit, startExecutables } from "../world/executable.ts";
import { temporaryFolder } from "../world/temporary_folder.ts";

/** A folder with a config, and a way to give the server's commands there. */
async function newServer(t: test.TestContext) {
  const folder = temporaryFolder(t);
  const config = join(folder, "config.toml");
  const run = (...args: string[]) => petit(["server", ...args, "-c", config]);
  assert.equal((await run("init")).code, 0);
  return { folder, run };
}

test("server audit: what was done by command is shown, and by whom, without the server", async (t) => {
  const { run } = await newServer(t);
  assert.equal((await run("audit")).code, 1);
  assert.match((await run("audit")).stderr, /There is no audit log/);
  const { stdout: code } = await run("join", "--uses", "3", "--brand", "acme");
  const { stdout } = await run("audit");
  const [begun, made, ...more] = stdout.trimEnd().split("\n");
  assert.match(begun as string, /^1 {2}20\S+ \S+ {2}log-begun {2}log=[0-9a-f]{32}$/);
  assert.match(
    made as string,
    /^2 {2}.* {2}join-code-made {2}joinCode=[0-9a-f]{16} uses=3 brand=acme .*by="command line, user /,
  );
  assert.deepEqual(more, []);
  assert.ok(!stdout.includes(code.trim()));

  const entries = (await run("audit", "--json", "--event", "join-code-made")).stdout.trimEnd().split("\n");
  assert.equal(entries.length, 1);
  const { seq, event, facts, hash } = JSON.parse(entries[0] as string);
  assert.deepEqual([seq, event, facts.uses, hash.length], [2, "join-code-made", 3, 64]);
  const revoked = await run("join", "revoke", facts.joinCode);
  assert.equal(revoked.code, 0, revoked.stderr);
  assert.match((await run("audit", "--lines", "1")).stdout, /^3 .* join-code-revoked /);
});

test("server audit verify: says whether the log is whole, and whether a head that was noted is in it", async (t) => {
  const { folder, run } = await newServer(t);
  for (let i = 0; i < 3; i++) await run("join");
  const whole = await run("audit", "verify");
  assert.equal(whole.code, 0);
  assert.match(whole.stdout, /^The audit log is whole: entries 1 to 4\.$/m);
  const head = /^Its head is (4:[0-9a-f]{64})$/m.exec(whole.stdout)?.[1] as string;
  await run("join");
  assert.equal((await run("audit", "verify", "--head", head)).code, 0);

  const db = new DatabaseSync(join(folder, "audit.db"));
  db.exec(
    "DROP TRIGGER entries_stay_as_they_are; UPDATE entries SET facts = replace(facts, '\"uses\":1', '\"uses\":9')",
  );
  db.close();
  const broken = await run("audit", "verify");
  assert.equal(broken.code, 1);
  assert.match(broken.stderr, /^petit: The audit log is broken at entry 2: /);
  const facts = JSON.parse((await run("audit", "verify", "--json")).stdout);
  assert.equal(facts.whole, false);
  assert.equal(facts.fault.seq, 2);
});

test("server audit: what is mistyped is named", async (t) => {
  const { run } = await newServer(t);
  for (
    const [args, sentence] of [
      [["--lines", "none"], /"none" is not a number for --lines/],
      [["--event", "login-refusd"], /Did you mean "login-refused"/],
      [["verify", "--head", "4"], /"4" is not a head of an audit log/],
    ] as const
  ) {
    const { code, stderr } = await run("audit", ...args);
    assert.equal(code, 2, stderr);
    assert.match(stderr, sentence);
  }
});

test("server audit: whoever gives commands or asks the REST API without the right to is on record", async (t) => {
  const { server } = await startExecutables(t, 9);
  const pid = JSON.parse(readFileSync(join(server.folder, "server.pid"), "utf8")) as { listen: number; api: number };
  const command = connect(pid.listen, "127.0.0.1").end("STOP\x03");
  let answer = "";
  for await (const bytes of command) answer += bytes;
  assert.match(answer, /"code":"command-closed"/);
  const url = `http://127.0.0.1:${pid.api}`;
  assert.equal((await fetch(`${url}/stop`, { method: "POST" })).status, 401);
  assert.equal((await fetch(`${url}/audit`, { headers: { authorization: "Bearer wrong" } })).status, 401);
  const told = async () =>
    (await petit(["server", "audit", "--event", "permission-refused", "--json", "-c", server.config])).stdout;
  await eventually("they are on record", async () => (await told()).split("\n").length === 4);
  const facts = (await told()).trim().split("\n").map((line) => JSON.parse(line).facts);
  assert.deepEqual(facts, [
    { code: "command-closed", where: "command port" },
    { code: "token-missing", where: "REST API" },
    { code: "token-wrong", where: "REST API" },
  ]);
});

test("server audit: a command that only looks leaves no log, and what root writes is the owner's of the folder", async (t) => {
  const { folder, run } = await newServer(t);
  const file = join(folder, "audit.db");
  assert.equal((await run("join", "list")).code, 0);
  assert.equal(existsSync(file), false);
  if (process.getuid?.() !== 0) return;
  const [uid, gid] = [65_534, 65_534];
  for (const path of [folder, ...readdirSync(folder).map((name) => join(folder, name))]) chownSync(path, uid, gid);
  assert.equal((await run("join")).code, 0);
  assert.deepEqual([statSync(file).uid, statSync(file).gid], [uid, gid]);
});
