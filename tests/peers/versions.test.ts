import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { missingHistory } from "../../scripts/history.ts";
import type { ClientStatus } from "../../src/client/client_status.ts";
import type { Lights } from "../../src/tunnel/lights.ts";
import { logOf } from "../faults/world/restart_world.ts";
import type { Detached } from "../world/detached.ts";
import { eventually } from "../world/eventually.ts";
import { petitExecutable } from "../world/executable.ts";
import { exchange, statusOf } from "../world/raw_http.ts";
import { leaveOut } from "./peer_test.ts";
import { Installed, makeVersionWorld, previousExecutable, succeed, type VersionWorld } from "./version_world.ts";

/** A test with the previous release, which CI builds wherever there is a history to find it in. */
function versionTest(name: string, body: (t: TestContext) => Promise<void>): void {
  if (previousExecutable !== undefined) test(name, { timeout: 120_000 }, body);
  else leaveOut(name, 'needs PETIT_PREVIOUS, which "npm run previous -- FOLDER" makes', missingHistory());
}

const PREVIOUS = previousExecutable ?? "";
const THIS = petitExecutable;

interface ServerStatus {
  readonly version: string;
  readonly connections: readonly { registeredId: string; aliases: string[]; lights: Lights; connected: boolean }[];
}

const json = async <Facts>(daemon: Detached, ...words: [string, ...string[]]): Promise<Facts> =>
  JSON.parse(await succeed(daemon, ...words, "--json")) as Facts;

const states = ({ client, tunnel, service }: Lights) => [client.state, tunnel.state, service.state];
const GREEN = ["green", "green", "green"];

/** Bytes go through, on all ways, and both sides say so. */
async function assertWell({ server, client, id, caller }: VersionWorld): Promise<void> {
  for (
    const outcome of await Promise.all([
      caller.ask(),
      caller.download(300_000, { chunked: true }),
      caller.upload(300_000),
      caller.tcp(10, 5000),
    ])
  ) assert.equal(outcome.class, "correct", `${outcome.kind}: ${outcome.detail}`);
  const { connections } = await json<ServerStatus>(server, "status");
  assert.deepEqual(states(connections.find(({ registeredId }) => registeredId === id)?.lights as Lights), GREEN);
  const { registration } = await json<ClientStatus>(client, "status");
  assert.deepEqual(registration.map(({ id, lights }) => [id, ...states(lights)]), [[id, ...GREEN]]);
}

function assertFaultless({ server, client }: VersionWorld): void {
  for (const daemon of [server, client]) {
    assert.deepEqual(logOf(daemon).filter(({ code }) => code === "internal"), [], daemon.role);
  }
}

async function assertWorkTogether(t: TestContext, programs: { server: string; client: string }): Promise<void> {
  const world = await makeVersionWorld(t, programs);
  const { server, client, id, caller } = world;
  await assertWell(world);
  const ping = await json<{ sent: number; answered: number }>(client, "ping", "-n", "2", "-i", "0.01");
  assert.deepEqual([ping.sent, ping.answered], [2, 2]);
  const sping = await json<{ sent: number; answered: number }>(client, "sping", "-n", "2", "-i", "0.01");
  assert.deepEqual([sping.sent, sping.answered], [2, 2]);
  assert.equal((await client.run("check")).code, 0);
  await world.restart(server);
  await world.restart(client);
  await assertWell(world);
  await succeed(client, "pause");
  assert.equal((await caller.ask()).detail, "503 paused");
  await succeed(client, "resume");
  assert.equal((await caller.ask()).class, "correct");
  await succeed(client, "unregister", "-r", id);
  const ask = `GET / HTTP/1.1\r\nHost: ${id}\r\nConnection: close\r\n\r\n`;
  await eventually("the id leads nowhere", async () => statusOf(await exchange(server.server.proxyPort, ask)) === 404);
  const { connections } = await json<ServerStatus>(server, "status");
  assert.ok(connections.every(({ registeredId }) => registeredId !== id));
  await succeed(client, "stop");
  await succeed(server, "stop");
  assertFaultless(world);
}

versionTest("versions: this server with a client of the previous release", async (t) => {
  await assertWorkTogether(t, { server: THIS, client: PREVIOUS });
});

versionTest("versions: this client with a server of the previous release", async (t) => {
  await assertWorkTogether(t, { server: PREVIOUS, client: THIS });
});

versionTest("versions: an upgrade in place takes over sockets and state, and no request fails", async (t) => {
  const installed = new Installed(t, PREVIOUS);
  const world = await makeVersionWorld(t, { server: installed.path, client: installed.path });
  const { server, client, id } = world;
  await succeed(server, "addalias", id, "db.example.com");
  await assertWell(world);
  const known = async () =>
    (await json<ServerStatus>(server, "status")).connections.map((
      { registeredId, aliases },
    ) => [registeredId, aliases]);
  const before = [[id, ["db.example.com"]]];
  await eventually("the server knows the alias", async () => isDeepStrictEqual(await known(), before));
  installed.replace(THIS);
  await world.restart(server);
  await world.restart(client);
  assert.deepEqual(await known(), before);
  await assertWell(world);
  assertFaultless(world);
});

versionTest(
  "versions: the previous release works on the state of this one, or says in a sentence why not",
  async (t) => {
    const installed = { server: new Installed(t, THIS), client: new Installed(t, THIS) };
    const world = await makeVersionWorld(t, { server: installed.server.path, client: installed.client.path });
    for (const daemon of [world.server, world.client]) {
      await succeed(daemon, "stop");
      installed[daemon.role].replace(PREVIOUS);
      const { code, stderr } = await daemon.run("start");
      if (code === 0) await succeed(daemon, "stop");
      else {
        assert.match(stderr, /^petit: .*(?:newer petit|Unknown key)/, "that it is of a later version");
        assert.doesNotMatch(stderr, /fault of petit's own/);
      }
      // Whatever has come of it: the way back is open.
      installed[daemon.role].replace(THIS);
      await succeed(daemon, "start");
    }
    await assertWell(world);
  },
);
