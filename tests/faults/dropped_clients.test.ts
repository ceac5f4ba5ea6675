import assert from "node:assert/strict";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { decodeJoinCode } from "../../src/tunnel/join_code.ts";
import { ServerProcess } from "../world/executable.ts";
import { type Scope, startService, temporaryFolder } from "../world/world.ts";
import { Baseline } from "./world/baseline.ts";
import { Caller } from "./world/caller.ts";
import { askDaemon, within } from "./world/daemon_status.ts";
import { type Change, FaultRelay } from "./world/fault_relay.ts";
import { figure } from "./world/figure.ts";
import { SLOW } from "./world/form.ts";
import { ManyClient } from "./world/many_clients.ts";
import { DETECTION } from "./world/recovery.ts";
import { serveVerifiably } from "./world/verifying_service.ts";

const CLIENTS = 200;
const AT_ONCE = 100;
/** Milliseconds that a client has that is dropped into silence. */
const SILENT_FOR = 2000;
/** Seconds in which a connection has to log in: less than a silent tunnel is found dead in. */
const LOGIN = 3;
/** MiB: the server has 200 registrations more than before. */
const MARGIN = 40;

/** Where the connection of each client breaks: all along the dialog, by a reset or into silence, in either direction. */
function breaks(whole: { up: number; down: number }): Change[] {
  return Array.from({ length: CLIENTS }, (_, index) => {
    const direction = index % 2 === 0 ? "up" : "down";
    const how = index % 4 < 2 ? "resetAfter" : "silentAfter";
    return { [direction]: { [how]: Math.max(1, Math.floor(whole[direction] * (index + 1) / CLIENTS)) } };
  });
}

async function eachOf<T>(list: readonly T[], act: (one: T, index: number) => Promise<void>): Promise<void> {
  const entries = list.entries();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const [index, one] of entries) await act(one, index);
  }));
}

interface Registry {
  readonly id: string;
  readonly port: number;
}

function registryOf(server: ServerProcess): Registry[] {
  const registry = openRegistry(server.registryUrl);
  const all = registry.registrations().map(({ id, port }) => ({ id, port }));
  registry.close();
  return all;
}

/** Runs a client until its connection through the relay is broken, or for as long as a silent one is waited for. */
async function runUntilBroken(client: ManyClient, relay: FaultRelay, servicePort: number): Promise<void> {
  const stop = new AbortController();
  const { closed } = client.leadThrough(relay.port).run(relay.port, servicePort, stop.signal);
  await within(SILENT_FOR, () => relay.accepted > 0 && relay.connections === 0);
  stop.abort();
  await closed;
}

/** The bytes of a whole dialog, by having it once. */
async function measured(
  scope: Scope,
  server: ServerProcess,
  dialog: (relay: FaultRelay) => Promise<unknown>,
): Promise<{ up: number; down: number }> {
  const relay = await FaultRelay.to(scope, server.sshPort);
  await dialog(relay);
  const passed = relay.passed;
  await relay.close();
  return passed;
}

test("200 clients dropped at each step of registration, login and forward leave nothing behind", SLOW, async (t) => {
  const fault = `${CLIENTS} clients dropped at each step`;
  const service = await startService(t, serveVerifiably);
  const server = await (await ServerProcess.init(t, {
    "server.ssh.loginGraceTime": `${LOGIN}s`,
    // All of them come from one address.
    "server.ssh.perSourcePenalty": "0s",
  })).start();
  await server.daemon.logged(({ msg }) => msg.startsWith("The REST API listens"));
  const folder = temporaryFolder(t);
  const code = decodeJoinCode(await server.joinCode(10 * CLIENTS));
  const drained = async () =>
    (await askDaemon<{ connected: string[] }>(server.folder, "server", "/status")).connected.length === 0;
  const first = new ManyClient(folder, "first");
  const dialog = await measured(t, server, (relay) => first.register(code, relay.port, 10_000));
  const before = registryOf(server).length;
  const baseline = await Baseline.ofPids({ server: server.daemon.pid });

  // Registration.
  const clients = Array.from({ length: CLIENTS }, (_, index) => new ManyClient(folder, String(index)));
  const answered = new Map<ManyClient, string>();
  await eachOf(breaks(dialog), async (change, index) => {
    const client = clients[index] as ManyClient;
    const relay = await FaultRelay.to(t, server.sshPort, change);
    const registered = await client.register(code, relay.port, SILENT_FOR);
    if (registered !== undefined) answered.set(client, registered.registeredId);
  });
  const kept = registryOf(server);
  figure(fault, "registrations answered", answered.size, "");
  figure(fault, "registrations kept whose answer was lost", kept.length - before - answered.size, "");
  for (const id of answered.values()) {
    assert.ok(kept.some((one) => one.id === id), `${id} was answered and is not kept`);
  }
  // Whoever asks again with the same key and the same code gets what was kept for it: nothing is given away twice or lost.
  await eachOf(clients, async (client) => {
    const registered = await client.register(code, server.sshPort, 10_000);
    assert.equal(registered?.registeredId, answered.get(client) ?? registered?.registeredId);
  });
  const all = registryOf(server);
  assert.equal(all.length, before + CLIENTS);
  assert.equal(new Set(all.map(({ id }) => id)).size, all.length);
  assert.equal(new Set(all.map(({ port }) => port)).size, all.length);
  for (const { id } of kept) assert.ok(all.some((one) => one.id === id), `${id} is gone`);

  // Login and forward.
  const login = await measured(t, server, async (relay) => {
    const stop = new AbortController();
    const running = first.leadThrough(relay.port).run(relay.port, service.port, stop.signal);
    await running.connected;
    stop.abort();
    await running.closed;
  });
  await eachOf(breaks(login), async (change, index) => {
    const relay = await FaultRelay.to(t, server.sshPort, change);
    await runUntilBroken(clients[index] as ManyClient, relay, service.port);
  });
  const took = await within(DETECTION + 1000, drained);
  figure(fault, "none counts as connected after", (took ?? NaN) / 1000, "s");
  assert.ok(took !== undefined, "some still count as connected");
  await baseline.check(fault, MARGIN);

  // And whoever comes in earnest is served.
  const stop = new AbortController();
  t.after(() => stop.abort());
  const last = clients[CLIENTS - 1] as ManyClient;
  const running = last.leadThrough(server.sshPort).run(server.sshPort, service.port, stop.signal);
  await running.connected;
  const { registeredId, registeredPort } = last.registered as { registeredId: string; registeredPort: number };
  const caller = new Caller({ proxyPort: server.proxyPort, rawPort: registeredPort, host: registeredId });
  assert.deepEqual([(await caller.ask()).class, (await caller.tcp(2, 100)).class], ["correct", "correct"]);
  stop.abort();
  await running.closed;
  await sleep(0);
});
