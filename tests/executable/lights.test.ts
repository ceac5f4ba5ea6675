import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ClientStatus } from "../../src/client/client_status.ts";
import type { FullStatus, ServerStatus } from "../../src/server/server_status.ts";
import type { Lights } from "../../src/tunnel/lights.ts";
import { type Executables, petit, startExecutables } from "../world/executable.ts";
import { eventually } from "../world/eventually.ts";
import { startSayer } from "../world/tenants.ts";
import { startService } from "../world/world.ts";

const states = ({ client, tunnel, service }: Lights) => [client, tunnel, service].map(({ state }) => state).join(" ");

async function json<Answer>(config: string, ...args: string[]): Promise<Answer> {
  const { stdout, stderr } = await petit([...args, "--json", "-c", config]);
  assert.notEqual(stdout, "", stderr);
  return JSON.parse(stdout) as Answer;
}

const lightsOf = async ({ server, id }: Executables) =>
  (await json<FullStatus>(server.config, "server", "status", id)).lights;

test("the lights stand in every status of both sides, for programs and for people", async (t) => {
  const world = await startExecutables(t, await startSayer(t, "hello"));
  const { server, client, id } = world;
  await eventually("green", async () => states(await lightsOf(world)) === "green green green");
  const { connections } = await json<ServerStatus>(server.config, "server", "status");
  const own = connections.find(({ registeredId }) => registeredId === id);
  assert.equal(states(own?.lights as Lights), "green green green");
  const { registration } = await json<ClientStatus>(client.config, "client", "status");
  assert.equal(states(registration[0]?.lights as Lights), "green green green");
  const text = async (config: string, ...args: string[]) => (await petit([...args, "-c", config])).stdout;
  assert.match(await text(server.config, "server", "status"), new RegExp(`\\n *${id} +connected +up +up +up +20`));
  assert.match(
    await text(server.config, "server", "status", id),
    /\nClient +green, heard of .* ago\nTunnel +green, there and back .* ago\nService +green, reached .* ago \(\d.* ms, by a probe\)\n/,
  );
  assert.match(await text(client.config, "client", "status"), /\ndefault .* up +up +up +served\n/);
  assert.match(await text(client.config, "client", "tenants"), /\ndefault .* up +up +up +served\n/);
});

test("a service that has been stopped is red on both sides, in the words of the client", async (t) => {
  const service = await startService(t, (socket) => socket.end("hello"));
  const world = await startExecutables(t, service.port);
  await eventually("green", async () => states(await lightsOf(world)) === "green green green");
  await new Promise((resolve) => service.server.close(resolve));
  const { service: light } = await lightsOf(world);
  assert.deepEqual([light.state, light.error, light.by], ["red", "ECONNREFUSED", "probe"]);
  const { stdout } = await petit(["client", "status", "-c", world.client.config]);
  assert.match(stdout, /\nService of default +red for \d.* s: ECONNREFUSED \(last tried \d.* s ago\)\n$/);
});

test("a client that is stopped by a signal is not green for long, and is again when it goes on", async (t) => {
  const server = { "server.ssh.clientAliveInterval": "1s", "server.ssh.clientAliveCountMax": 100 };
  const world = await startExecutables(t, await startSayer(t, "hello"), { server });
  await eventually("green", async () => states(await lightsOf(world)) === "green green green");
  const { pid } = world.client.daemon;
  process.kill(pid, "SIGSTOP");
  try {
    const begun = performance.now();
    const seen = async () => {
      const { connections } = await json<ServerStatus>(world.server.config, "server", "status");
      return connections.find(({ registeredId }) => registeredId === world.id)?.lights as Lights;
    };
    while (performance.now() - begun < 20_000 && (await seen()).client.state === "green") await sleep(100);
    const took = performance.now() - begun;
    const { client, service } = await seen();
    assert.deepEqual([client.state, service.state], ["red", "unknown"]);
    assert.match(client.error as string, /silent for \d+ s/);
    t.diagnostic(`not green ${(took / 1000).toFixed(1)} s after SIGSTOP`);
    assert.ok(took < 15_000, `${took} ms`);
  } finally {
    process.kill(pid, "SIGCONT");
  }
  await eventually("green again", async () => states(await lightsOf(world)) === "green green green");
});
