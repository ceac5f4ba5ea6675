import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import test from "node:test";
import { openRegistry } from "../../src/registry/open_registry.ts";
import type { Registry } from "../../src/registry/registry.ts";
import { legacyFile, SOME_KEY } from "../unit/registry/legacy_file.ts";
import { petit, petitExecutable, ServerProcess } from "../world/executable.ts";
import { launch } from "../world/processes.ts";

const KILLS = 12;
const IMPORTED = 40;

/** Runs a command and kills it at any moment of the time that it takes; whether it was faster. */
async function killed(args: string[], longest: number): Promise<boolean> {
  const child = launch(petitExecutable, args);
  const ended = new Promise<number | null>((resolve) => child.on("close", resolve));
  await Promise.race([ended, sleep(Math.random() * longest)]);
  child.kill("SIGKILL");
  return await ended === 0;
}

/** What each command leaves, and it leaves nothing else. */
const commands: Record<
  string,
  { args: string[]; done: (registry: Registry) => boolean; undone: (registry: Registry) => boolean }
> = {
  "server join": {
    args: ["server", "join"],
    done: (registry) => registry.joinCodes().length === 1 && registry.joinCodes()[0]?.usesLeft === 1,
    undone: (registry) => registry.joinCodes().length === 0,
  },
  "server addalias": {
    args: ["server", "addalias", "1001", "new.example"],
    done: (registry) => registry.registrations()[0]?.aliases.join() === "db.example,new.example",
    undone: (registry) => registry.registrations()[0]?.aliases.join() === "db.example",
  },
  "server removealias": {
    args: ["server", "removealias", "1001", "db.example"],
    done: (registry) => registry.registrations()[0]?.aliases.length === 0,
    undone: (registry) => registry.registrations()[0]?.aliases.join() === "db.example",
  },
  "server unregister": {
    args: ["server", "unregister", "1001"],
    done: (registry) => registry.registrations().length === 0,
    undone: (registry) => registry.registrations()[0]?.aliases.join() === "db.example",
  },
  "server import": {
    args: ["server", "import", "FILE"],
    done: (registry) =>
      registry.registrations().length === IMPORTED + 1 &&
      registry.registrations().every(({ aliases }) => aliases.length === 1),
    undone: (registry) => registry.registrations().length === 1,
  },
};

for (const [name, { args, done, undone }] of Object.entries(commands)) {
  test(`${name}: killed at any moment, it has been done or it has not`, async (t) => {
    const server = await ServerProcess.init(t);
    const legacy = join(server.folder, "legacy");
    const entries = Object.fromEntries(
      Array.from(
        { length: IMPORTED },
        (_, i) => [2001 + i, { port: 50_001 + i, key: SOME_KEY, aliases: [`a${i}.example`] }],
      ),
    );
    writeFileSync(legacy, legacyFile(entries));
    const file = server.registryUrl.slice("sqlite:".length);
    const inRegistry = <Result>(work: (registry: Registry) => Result) => {
      const registry = openRegistry(server.registryUrl);
      try {
        return work(registry);
      } finally {
        registry.close();
      }
    };
    const own = inRegistry((registry) => (registry.addAlias("1001", "db.example"), registry.registrations()[0]));
    const typed = [...args.map((arg) => arg === "FILE" ? legacy : arg), "-c", server.config];
    const begun = performance.now();
    assert.equal((await petit(["version"])).code, 0);
    const longest = 3 * (performance.now() - begun);
    let finished = 0;
    for (let kill = 0; kill < KILLS; kill++) {
      if (await killed(typed, longest)) finished++;
      const database = new DatabaseSync(file);
      assert.deepEqual(Object.values(database.prepare("PRAGMA integrity_check").get() as object), ["ok"]);
      database.close();
      const state = inRegistry((registry) => done(registry) ? "done" : undone(registry) ? "undone" : "half done");
      assert.notEqual(state, "half done");
      // Back to the beginning.
      inRegistry((registry) => {
        for (const { hash } of registry.joinCodes()) registry.revokeJoinCode(hash);
        for (const { id } of registry.registrations()) if (id !== "1001") registry.unregister(id);
        if (own === undefined || registry.registrations().length > 0) return;
        const preferred = { id: own.id, port: own.port };
        const { key, fingerprint, tenant } = own;
        const vitae = { brand: "x", version: "1" };
        registry.register({
          key,
          fingerprint,
          tenant,
          vitae,
          preferred,
          joinHash: null,
          port: registry.nextPort(),
          now: 1,
        });
      });
      inRegistry((registry) => {
        if (registry.registrations()[0]?.aliases.includes("new.example")) registry.removeAlias("1001", "new.example");
        registry.addAlias("1001", "db.example");
      });
    }
    t.diagnostic(`${finished} of ${KILLS} were faster than the kill`);
    assert.equal((await petit(typed)).code, 0, "and after all that it works");
  });
}
