import assert from "node:assert/strict";
import test from "node:test";
import { newRegistry, NOW, openFile, requestOf } from "./fixture.ts";
import { writeAndKill } from "./write_and_kill.ts";

const KILLS = 10;
const USES = 1_000_000;
/** What import_for_ever.ts takes in at once. */
const AT_ONCE = 40;

const SLOW = { timeout: 120_000 };

test(
  "registry: a process that is killed loses nothing it acknowledged, and leaves nothing half done",
  SLOW,
  async (t) => {
    const { registry, file } = newRegistry(t);
    registry.addJoinCode({ hash: "h", brand: "", usesLeft: USES, expiresAt: NOW + 1 });
    registry.close();
    const acknowledged: string[] = [];
    for (let kill = 0; kill < KILLS; kill++) {
      acknowledged.push(...await writeAndKill(t, "register_for_ever.ts", file, "h"));
      const after = openFile(t, file);
      const made = after.registrations();
      const lines = new Set(made.map(({ id, port, vitae }) => `${id} ${port} ${vitae?.hostname}`));
      assert.deepEqual(acknowledged.filter((line) => !lines.has(line)), [], "acknowledged, but lost");
      // A use of the code, an id and a port go with each registration, and with nothing else.
      assert.equal(after.joinCode("h")?.usesLeft, USES - made.length);
      // Those that were about to be given away when it was killed are lost to everybody: one each time at most.
      const ids = made.map(({ id }) => Number(id));
      assert.deepEqual(ids, [...new Set(ids)].sort((a, b) => a - b));
      assert.deepEqual(made.map(({ port }) => port), ids.map((id) => id + 11081 - 1001));
      assert.ok((ids.at(-1) as number) - 1000 - made.length <= kill, "an id was lost without a kill");
      const next = after.nextPort() - 11081 - ((ids.at(-1) as number) - 1000);
      assert.ok(next === 0 || next === 1, "the next one is given away next");
      after.close();
    }
    assert.ok(acknowledged.length >= KILLS);
  },
);

test("unregister: a process that is killed leaves a registration whole or given back whole", SLOW, async (t) => {
  const { registry, file } = newRegistry(t);
  const holders = ["a", "b", "c"];
  for (const holder of holders) registry.register(requestOf(registry, holder));
  const all = registry.registrations().map(({ id, port, fingerprint }) => ({ id, port, fingerprint }));
  registry.close();
  for (let kill = 0; kill < KILLS; kill++) {
    const last = (await writeAndKill(t, "unregister_for_ever.ts", file)).at(-1) as string;
    const after = openFile(t, file);
    const here = new Map(after.registrations().map((registration) => [registration.id, registration]));
    const done = last.slice(2);
    // The last thing acknowledged has happened, and at most one more.
    if (last.startsWith("+")) assert.ok(here.has(done), "acknowledged, but lost");
    else if (here.has(done)) assert.deepEqual(here.get(done)?.aliases, [], "it came back, and is new");
    assert.ok(here.size >= all.length - 1);
    // Whoever is gone gets everything again, for the next round.
    for (const [index, { id, port, fingerprint }] of all.entries()) {
      const again = after.register(requestOf(after, holders[index] as string, { preferred: { id, port } }));
      assert.deepEqual([again.id, again.port, again.fingerprint], [id, port, fingerprint]);
    }
    assert.equal(after.nextPort(), 11084);
    after.close();
  }
});

test("import: a process that is killed has taken in a file as a whole or not at all", SLOW, async (t) => {
  const { registry, file } = newRegistry(t);
  registry.close();
  let acknowledged = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const lines = await writeAndKill(t, "import_for_ever.ts", file);
    acknowledged += lines.length;
    assert.deepEqual(lines.filter((line) => !line.endsWith(` ${AT_ONCE}`)), []);
    const after = openFile(t, file);
    const made = after.registrations();
    assert.equal(made.length % AT_ONCE, 0);
    assert.ok(made.length >= acknowledged * AT_ONCE, "acknowledged, but lost");
    assert.deepEqual(made.filter(({ aliases }) => aliases.length !== 1), []);
    // What was about to be taken in when it was killed is given to nobody else.
    const cutShort = (after.nextPort() - 11081 - made.length) / AT_ONCE;
    assert.ok(Number.isInteger(cutShort) && cutShort <= kill + 1);
    acknowledged = made.length / AT_ONCE;
    after.close();
  }
});
