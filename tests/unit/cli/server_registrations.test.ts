import assert from "node:assert/strict";
import { existsSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { openRegistry } from "../../../src/registry/open_registry.ts";
import type { Registry } from "../../../src/registry/registry.ts";
import { type Scope, temporaryFolder } from "../../world/temporary_folder.ts";
import { legacyFile, SOME_KEY } from "../registry/legacy_file.ts";
import { petit } from "./captured.ts";

/** A server that has been set up, with two registrations. */
async function newServer(scope: Scope) {
  const folder = temporaryFolder(scope);
  const file = join(folder, "config.toml");
  const { code, err } = await petit("server", "init", "-c", file);
  assert.equal(code, 0, err);
  const inRegistry = <Result>(work: (registry: Registry) => Result): Result => {
    const registry = openRegistry(`sqlite:${join(folder, "registry.db")}`);
    try {
      return work(registry);
    } finally {
      registry.close();
    }
  };
  for (const holder of ["a", "b"]) {
    inRegistry((registry) =>
      registry.register({
        ...{ key: `ssh-ed25519 ${holder}`, fingerprint: `SHA256:${holder}`, tenant: "default", preferred: null },
        vitae: { brand: "acme", version: "1.0.0", hostname: `host-${holder}` },
        ...{ joinHash: null, port: registry.nextPort(), now: Date.now() },
      })
    );
  }
  const ids = () => inRegistry((registry) => registry.registrations().map(({ id }) => id));
  return { folder, inRegistry, ids, run: (...argv: string[]) => petit(...argv, "-c", file) };
}

test("server unregister: takes the registration away and tells what it was", async (t) => {
  const { run, ids } = await newServer(t);
  await run("server", "addalias", "1001", "db.example.com");
  const { code, out, err } = await run("server", "unregister", "1001");
  assert.equal(code, 0, err);
  assert.match(out, /^Removed registration 1001: port 11081, brand acme, host host-a, key SHA256:a\n/);
  assert.match(out, /its alias db\.example\.com/);
  assert.deepEqual(ids(), ["1002"]);
});

test("server unregister: JSON tells the same facts", async (t) => {
  const { run } = await newServer(t);
  const { createdAt, vitae, ...facts } = JSON.parse((await run("server", "unregister", "1002", "--json")).out);
  assert.deepEqual(facts, {
    ...{ registeredId: "1002", port: 11082, fingerprint: "SHA256:b", brand: "acme", tenant: "default", aliases: [] },
  });
  assert.equal(vitae.hostname, "host-b");
  assert.ok(Date.parse(createdAt) > 0);
});

test("server unregister: an id that is not there, and what is no id, change nothing", async (t) => {
  const { run, ids } = await newServer(t);
  const cases: [args: string[], code: number, wanted: RegExp][] = [
    [["1003"], 1, /There is no registration "1003"/],
    [[], 2, /An id is missing/],
    [["x"], 2, /"x" is not an id/],
    [["01001"], 2, /"01001" is not an id/],
    [["1001", "1002"], 2, /one argument too many/],
  ];
  for (const [args, wanted, message] of cases) {
    const { code, out, err } = await run("server", "unregister", ...args);
    assert.equal(code, wanted, err);
    assert.match(err, message);
    assert.equal(out, "");
  }
  assert.deepEqual(ids(), ["1001", "1002"]);
});

test("server addalias: another registration's address is refused, with the reason", async (t) => {
  const { run } = await newServer(t);
  const { code, err } = await run("server", "addalias", "1001", "1002.example.com");
  assert.equal(code, 1);
  assert.match(err, /cannot have the alias "1002\.example\.com": .* the address of registration 1002/);
});

test("server join list: tells what each code can still do, and never the code", async (t) => {
  const { run, inRegistry } = await newServer(t);
  assert.match((await run("server", "join", "list")).out, /There are no join codes/);
  const code = (await run("server", "join", "--uses", "3", "--brand", "acme")).out.trim();
  inRegistry((registry) => {
    registry.addJoinCode({ hash: "0".repeat(64), brand: "", usesLeft: 1, expiresAt: Date.now() - 1 });
    registry.addJoinCode({ hash: "1".repeat(64), brand: "", usesLeft: 0, expiresAt: Date.now() + 60_000 });
  });
  const { out } = await run("server", "join", "list");
  assert.match(out, /^ID +STATE +USES LEFT +BRAND +MADE +EXPIRES\n/);
  assert.match(out, /^[0-9a-f]{8} +open +3 of 3 +acme +20/m);
  assert.match(out, /^00000000 +expired +1 of 1 +any/m);
  assert.match(out, /^11111111 +used up +0/m);
  const json = (await run("server", "join", "list", "--json")).out;
  const [newest] = JSON.parse(json);
  assert.deepEqual([newest.brand, newest.uses, newest.usesLeft, newest.state], ["acme", 3, 3, "open"]);
  assert.ok(Date.parse(newest.created) <= Date.now() && Date.parse(newest.expires) > Date.now());
  for (const printed of [out, json]) assert.ok(!printed.includes(code.slice("petit-".length, 30)));
});

test("server join list: ids are as long as it takes to tell them apart", async (t) => {
  const { run, inRegistry } = await newServer(t);
  for (const end of ["a", "b"]) {
    const hash = `${"0".repeat(9)}${end}${"0".repeat(54)}`;
    inRegistry((registry) => registry.addJoinCode({ hash, brand: "", usesLeft: 1, expiresAt: Date.now() + 1 }));
  }
  const ids = JSON.parse((await run("server", "join", "list", "--json")).out).map(({ id }: { id: string }) => id);
  assert.deepEqual(ids.sort(), ["000000000a", "000000000b"]);
  const { code, err } = await run("server", "join", "revoke", "00000000");
  assert.equal(code, 1);
  assert.match(err, /more than one join code\n.*join list/);
});

test("server join revoke: the code is gone, and what is no id is told so", async (t) => {
  const { run, inRegistry } = await newServer(t);
  const code = (await run("server", "join", "--uses", "3")).out.trim();
  const whole = await run("server", "join", "revoke", code);
  assert.equal(whole.code, 2);
  assert.match(whole.err, /the join code itself, not its id/);
  assert.ok(!whole.err.includes(code), "it is a secret");
  const [{ id }] = JSON.parse((await run("server", "join", "list", "--json")).out);
  const { code: exit, out } = await run("server", "join", "revoke", id.toUpperCase());
  assert.equal(exit, 0);
  assert.match(out, /3 of 3 uses were left/);
  assert.equal(inRegistry((registry) => registry.joinCodes()).length, 0);
  const again = await run("server", "join", "revoke", id);
  assert.equal(again.code, 1);
  assert.match(again.err, /There is no join code/);
});

test("server import: takes in a 0.6 registry, and a second time nothing", async (t) => {
  const { run, ids, folder } = await newServer(t);
  const file = join(folder, "registry");
  const entries = {
    "1005": { port: 11085, key: SOME_KEY },
    "1006": { port: 11086, key: SOME_KEY, aliases: ["x.example"] },
  };
  writeFileSync(file, legacyFile(entries, { maxRegisteredId: 1100 }));
  const dry = await run("server", "import", file, "--dry-run");
  assert.deepEqual([dry.code, dry.out], [0, "2 registrations would be taken in\n"]);
  assert.deepEqual(ids(), ["1001", "1002"]);
  assert.deepEqual((await run("server", "import", file)).out, "2 registrations were taken in\n");
  assert.deepEqual(ids(), ["1001", "1002", "1005", "1006"]);
  const again = await run("server", "import", file);
  assert.deepEqual([again.code, again.out], [0, "0 registrations were taken in; 2 are here already\n"]);
  const json = JSON.parse((await run("server", "import", file, "--json")).out);
  assert.deepEqual(json, { added: [], known: ["1005", "1006"], leftOut: [], problems: [], dryRun: false });
});

test("server import: every problem is told with its id, and nothing is taken in", async (t) => {
  const { run, ids, folder } = await newServer(t);
  const file = join(folder, "registry");
  writeFileSync(
    file,
    legacyFile({
      "1005": { port: 11081, key: SOME_KEY },
      "1006": { port: 11086, key: "broken" },
      "1007": { port: 11087, key: SOME_KEY, aliases: ["a b"] },
      "1008": { port: 11088, key: SOME_KEY },
    }),
  );
  const { code, out, err } = await run("server", "import", file);
  assert.equal(code, 1);
  assert.equal(out, "");
  assert.match(
    err,
    /was not taken in, for 3 problems:\n {2}1005: .*11081.*1001\n {2}1006: its key.*\n {2}1007: .*"a b"/,
  );
  assert.deepEqual(ids(), ["1001", "1002"]);
  const json = await run("server", "import", file, "--json");
  assert.equal(json.code, 1);
  const facts = JSON.parse(json.out);
  assert.deepEqual([facts.added, facts.problems.map(({ id }: { id: string }) => id)], [[], ["1005", "1006", "1007"]]);
});

test("server import: a file that cannot be read is named", async (t) => {
  const { run, folder } = await newServer(t);
  const none = await run("server", "import", join(folder, "none"));
  assert.equal(none.code, 1);
  assert.match(none.err, /Cannot read ".*none"/);
  writeFileSync(join(folder, "text"), "hello");
  assert.match((await run("server", "import", join(folder, "text"))).err, /not a registry file of petit 0\.6/);
  assert.equal((await run("server", "import")).code, 2);
});

test("server status and disconnect: without a server it is said, with exit code 3", async (t) => {
  const { run, folder } = await newServer(t);
  const status = await run("server", "status");
  assert.equal(status.code, 3);
  assert.match(status.err, /The server is not running; 2 registrations are in its registry\n.*petit server start/);
  const disconnect = await run("server", "disconnect", "1001");
  assert.equal(disconnect.code, 3);
  assert.match(disconnect.err, /not running/);
  assert.ok(!existsSync(join(folder, "server.lock")), "who only looks leaves nothing behind");
  assert.ok(!existsSync(join(folder, "api-token")));
});
