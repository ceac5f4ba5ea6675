import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import test from "node:test";
import { readTenants } from "../../src/client/tenants.ts";
import { loadConfig } from "../../src/config/load.ts";
import { petit, petitExecutable, ServerProcess } from "../world/executable.ts";
import { type Finished, launch } from "../world/processes.ts";
import { type Scope, temporaryFolder } from "../world/world.ts";

/** How often each command is killed; each time a little later, so that every step of it is hit. */
const TIMES = 8;

/** A client's folder, with commands that end, commands that are killed, and a look at what is left. */
async function victim(t: Scope) {
  const folder = temporaryFolder(t);
  const env = { HOME: folder };
  const line = (args: string[]) => ["client", ...args, "-c", `${folder}/config.toml`];
  const client = (...args: string[]): Promise<Finished> => petit(line(args), { env });
  assert.equal((await client("init")).code, 0);
  let longest = 0;
  /** Kills the command when that part of its usual time is over. */
  const kill = async (part: number, ...args: string[]) => {
    const child = launch(petitExecutable, line(args), { env });
    const ended = new Promise<void>((resolve) => child.on("close", () => resolve()));
    await Promise.race([sleep(longest * part), ended]);
    child.kill("SIGKILL");
    await ended;
  };
  /** Runs the command to its end, and remembers how long that takes. */
  const measure = async (...args: string[]) => {
    const begun = performance.now();
    const finished = await client(...args);
    longest = performance.now() - begun;
    return finished;
  };
  /** What is there afterwards; whatever was killed, it has to be readable. */
  const tenants = () => readTenants(folder, loadConfig(`${folder}/config.toml`).config.client.local);
  return { client, kill, measure, tenants };
}

test("lease and evict that are killed leave a tenant or none, and can be typed again", async (t) => {
  const { client, kill, measure, tenants } = await victim(t);
  assert.equal((await measure("lease", "-t", "shop", "-p", "9000")).code, 0);
  assert.equal((await client("evict", "shop")).code, 0);
  for (let time = 0; time < TIMES; time++) {
    await kill(1.3 * (time + 1) / TIMES, "lease", "-t", "shop", "-p", "9000");
    const made = tenants();
    assert.ok(made.length <= 1);
    if (made.length === 1) assert.deepEqual([made[0]?.name, made[0]?.local.port], ["shop", 9000]);
    assert.equal((await client("lease", "-t", "shop", "-p", "9000")).code, made.length === 1 ? 1 : 0);
    await kill(1.3 * (time + 1) / TIMES, "evict", "shop");
    const left = tenants();
    assert.equal((await client("evict", "shop")).code, left.length === 1 ? 0 : 2);
    assert.deepEqual(tenants(), []);
  }
});

test("register and unregister that are killed keep what is registered, and can be typed again", async (t) => {
  const server = await (await ServerProcess.init(t)).start();
  const code = await server.joinCode(1000);
  const { client, kill, measure, tenants } = await victim(t);
  assert.equal((await measure("register", code)).code, 0);
  const id = tenants()[0]?.registration?.id;
  assert.ok(id);
  assert.equal((await client("unregister", "-a")).code, 0);
  for (let time = 0; time < TIMES; time++) {
    await kill(1.3 * (time + 1) / TIMES, "register", code);
    assert.ok(tenants().every(({ registration }) => registration === undefined || registration.id === id));
    const again = await client("register", code, "--json");
    assert.equal(JSON.parse(again.stdout).id, id, "it is the same registration, and no second one");
    await kill(1.3 * (time + 1) / TIMES, "unregister", "-a");
    const finished = await client("unregister", "-a", "--json");
    assert.equal(finished.code, 0, finished.stderr);
    assert.deepEqual(tenants().map(({ registration }) => registration), [undefined]);
  }
});
