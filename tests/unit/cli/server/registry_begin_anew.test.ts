import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { lockFolder } from "../../../../src/platform/folder_lock.ts";
import { openRegistry } from "../../../../src/registry/open_registry.ts";
import { type Scope, temporaryFolder } from "../../../world/temporary_folder.ts";
import { petit } from "../captured.ts";

/** A server that has been set up, and whose registry is garbage by now; its mark says what the test wants. */
async function damagedServer(scope: Scope, mark = '{"id": 1042, "port": 11122, "idBefore": 1041}') {
  const folder = temporaryFolder(scope);
  const config = join(folder, "config.toml");
  assert.equal((await petit("server", "init", "-c", config)).code, 0);
  const registry = join(folder, "registry.db");
  writeFileSync(registry, "garbage");
  writeFileSync(`${registry}.highest`, mark);
  return { folder, registry, run: (...args: string[]) => petit(...args, "-c", config) };
}

test("server registry begin-anew: says where it goes on, and where the former one is", async (t) => {
  const { registry, run } = await damagedServer(t);
  assert.match((await run("server", "join")).err, /begin-anew/);
  const { code, out, err } = await run("server", "registry", "begin-anew");
  assert.equal(code, 0, err);
  assert.match(out, /registry\.db" is empty, and goes on after id 1042 and port 11122\.\n/);
  const kept = /kept as "(.*)"/.exec(out)?.[1] as string;
  assert.equal(readFileSync(kept, "utf8"), "garbage");
  const opened = openRegistry(`sqlite:${registry}`);
  t.after(() => opened.close());
  assert.equal(opened.nextPort(), 11123);
  assert.equal((await run("server", "join")).code, 0);
});

test("server registry begin-anew: JSON tells the same facts", async (t) => {
  const { registry, run } = await damagedServer(t);
  const { kept, ...facts } = JSON.parse((await run("server", "registry", "begin-anew", "--json")).out);
  assert.deepEqual(facts, { registry, lastId: "1042", lastPort: 11122 });
  assert.ok(kept.every(existsSync));
});

test("server registry begin-anew: a registry that can be used, and a server that runs, are left alone", async (t) => {
  const { folder, registry, run } = await damagedServer(t);
  const lock = lockFolder(folder, "server");
  assert.match((await run("server", "registry", "begin-anew")).err, /is running/);
  assert.equal(readFileSync(registry, "utf8"), "garbage");
  lock.release();
  await run("server", "registry", "begin-anew");
  const again = await run("server", "registry", "begin-anew");
  assert.equal(again.code, 1);
  assert.match(again.err, /no need to begin anew/);
});

test("server registry begin-anew: without a mark somebody has to say where to go on", async (t) => {
  const { registry, run } = await damagedServer(t, "?");
  const refused = await run("server", "registry", "begin-anew");
  assert.equal(refused.code, 1);
  assert.match(refused.err, /--last-id and --last-port/);
  for (const wrong of ["0", "x", "-1", "1e3", "70000"]) {
    const { code, err } = await run("server", "registry", "begin-anew", "--last-id", "1042", `--last-port=${wrong}`);
    assert.equal(code, 2, err);
  }
  const args = ["server", "registry", "begin-anew", "--last-id", "1050", "--last-port", "11130"];
  assert.match((await run(...args)).out, /after id 1050 and port 11130/);
  const opened = openRegistry(`sqlite:${registry}`);
  t.after(() => opened.close());
  assert.equal(opened.nextPort(), 11131);
});
