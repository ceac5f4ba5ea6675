import assert from "node:assert/strict";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { Disconnect } from "../../src/server/disconnect.ts";
import { eventually } from "../world/eventually.ts";
import { type Executables, petit, startExecutables } from "../world/executable.ts";
import { startService } from "../world/world.ts";

const QUICK = { "client.reconnectDelayMax": "100ms" };

async function newWorld(t: test.TestContext): Promise<Executables> {
  const { port } = await startService(t, (socket) => socket.pipe(socket));
  return await startExecutables(t, port, { client: QUICK });
}

async function disconnectsOf({ server, id }: Executables): Promise<Disconnect[]> {
  const { code, stdout } = await petit(["server", "status", id, "--json", "-c", server.config]);
  return code === 0 ? JSON.parse(stdout).disconnects : [];
}

/** Until there are so many, and the client has told of all. */
async function told(world: Executables, count: number): Promise<Disconnect[]> {
  let all: Disconnect[] = [];
  await eventually(`the client has told of ${count}`, async () => {
    all = await disconnectsOf(world);
    return all.length === count && all.every(({ clientCause }) => clientCause !== null);
  });
  return all;
}

function contains(file: string, text: string): boolean {
  return existsSync(file) && readFileSync(file).includes(text);
}

const causes = (all: Disconnect[]) => all.map(({ code, clientCode }) => [code, clientCode]);

test("the causes of disconnects, as both sides saw them, outlive whatever happens to the server", async (t) => {
  const world = await newWorld(t);
  const { server, client, id } = world;
  const run = (...args: string[]) => petit(["server", ...args, "-c", server.config]);
  await run("disconnect", id);
  await told(world, 1);
  await server.daemon.stop();
  await server.start();
  assert.deepEqual(causes(await told(world, 2)), [["stopped", "stopped"], ["operator", "operator"]]);

  // Killed: nobody invents what the server did not see.
  await eventually(
    "the last one is written",
    () => contains(join(server.folder, "disconnects.db-wal"), "the server stopped"),
  );
  await server.kill();
  await server.start();
  const [killed, ...others] = await told(world, 3);
  assert.deepEqual([killed?.cause, killed?.code, killed?.address, killed?.ids], [null, null, null, [id]]);
  assert.match(killed?.clientCode ?? "", /^(closed|reset)$/);
  assert.deepEqual(causes(others), [["stopped", "stopped"], ["operator", "operator"]]);

  const { stdout } = await run("status", id);
  const [head, ...rows] = stdout.slice(stdout.indexOf("Last disconnects")).trim().split("\n").slice(1);
  assert.match(head ?? "", /^AT +AFTER +ADDRESS +CAUSE +CLIENT SAW$/);
  assert.match(rows[0] ?? "", / - +not seen by the server +the (server closed the connection|connection was reset)/);
  assert.match(rows[1] ?? "", / 127\.0\.0\.1 +the server stopped +the server stopped$/);
  const own = (await petit(["client", "status", "-c", client.config])).stdout;
  assert.match(own, /\nLast disconnects\nAT +AFTER +CAUSE\n(?:20.*\n){3}$/);
  assert.match(own, /the server's operator ended it\n$/);
});

test("a client that is killed and started again says so, beside what the server saw", async (t) => {
  const world = await newWorld(t);
  const { client } = world;
  const file = join(client.folder, "disconnects.json");
  await eventually("the client has written that its tunnel stands", () => contains(file, '"standing":{'));
  await client.daemon.process.stop("SIGKILL");
  await client.start();
  const [killed] = await told(world, 1);
  assert.match(killed?.code ?? "", /^(closed|reset)$/);
  assert.equal(killed?.clientCause, "the client was killed, or its machine went down");
  await client.daemon.stop();
  await client.start();
  assert.deepEqual(causes(await told(world, 2))[0], ["stopped", "stopped"]);
});
