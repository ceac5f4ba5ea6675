import assert from "node:assert/strict";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { type Detached, detachedServer } from "../world/detached.ts";
import { Background, output } from "../world/processes.ts";
import { startService, temporaryFolder } from "../world/world.ts";
import { Caller } from "./world/caller.ts";
import { askDaemon, within } from "./world/daemon_status.ts";
import { figure } from "./world/figure.ts";
import { inForm, SLOW } from "./world/form.ts";
import { onlyOneIsLeft } from "./world/restart_world.ts";
import { SteadyLoad } from "./world/steady_load.ts";
import { serveVerifiably } from "./world/verifying_service.ts";

const CLIENTS = 500;
/** Milliseconds for all of them to be back. */
const BACK_WITHIN = 10_000;
const ROUNDS = inForm(1, 5);
/** Milliseconds for which the server is away. */
const AWAY = 1000;
/** Milliseconds for which the tunnels have stood by then. */
const STOOD = 2500;
/** Requests at the same time. */
const AT_ONCE = 50;

/** Clients that are asked while the server is restarted, and how often altogether. */
const LOADED = 20;
const PER_SECOND = 200;

const SCRIPT = fileURLToPath(new URL("../../scripts/bench/many_clients.ts", import.meta.url));

/** What happens to the server; each settles when it has begun to start. */
const HAPPENS: Record<string, (server: Detached) => Promise<{ started: Promise<unknown> }>> = {
  "killed and started": async (server) => {
    await server.kill();
    await sleep(AWAY);
    return { started: server.start() };
  },
  "stopped and started": async (server) => {
    assert.equal((await server.run("stop")).code, 0);
    await sleep(AWAY);
    return { started: server.start() };
  },
  "restarted": (server) => Promise.resolve({ started: server.run("restart") }),
};

test(`${CLIENTS} clients are back within 10 s after the server was killed, stopped or restarted`, SLOW, async (t) => {
  const service = await startService(t, serveVerifiably);
  const server = await detachedServer(t);
  await server.start();
  const folder = join(temporaryFolder(t), "clients");
  const code = await server.server.joinCode(CLIENTS);
  await output(process.execPath, [SCRIPT, "register", folder, String(CLIENTS), code], { timeout: 60_000 });
  appendFileSync(join(folder, "config.toml"), `[client.local]\nhost = "127.0.0.1"\nport = ${service.port}\n`);
  // In one process of their own: one for each would spend the time on starting.
  const clients = new Background(process.execPath, [SCRIPT, "connect", folder, String(CLIENTS)]);
  t.after(() => clients.stop());
  const { proxyPort } = server.server;
  const connected = async () => {
    try {
      return (await askDaemon<{ connected: string[] }>(server.folder, "server", "/status")).connected;
    } catch {
      // It is not there yet.
      return [];
    }
  };
  assert.ok(await within(30_000, async () => (await connected()).length === CLIENTS), "not all have connected");
  for (const [what, happen] of Object.entries(HAPPENS)) {
    for (let round = 0; round < ROUNDS; round++) {
      // A tunnel that is lost as soon as it has come about is built again later and later.
      await sleep(STOOD);
      const load = what === "restarted" ? await loadOn(await connected(), proxyPort) : undefined;
      const { started } = await happen(server);
      const begun = performance.now();
      const fault = `${CLIENTS} clients when the server is ${what}`;
      const starting = started.then(() => performance.now() - begun);
      if (what === "restarted") await starting;
      const back = await within(30_000, async () => (await connected()).length === CLIENTS);
      const seconds = (performance.now() - begun) / 1000;
      figure(fault, "the server has started after", await starting / 1000, "s");
      figure(fault, "from its start until the last is back", seconds, "s");
      assert.ok(
        back !== undefined && seconds * 1000 <= BACK_WITHIN,
        `${(await connected()).length} are back after ${seconds} s`,
      );
      if (load !== undefined) {
        const { sent, failed, slowest } = await load.stop();
        figure(fault, "requests sent meanwhile", sent, "");
        figure(fault, "requests failed meanwhile", Object.keys(failed).length, "");
        figure(fault, "slowest request", slowest, "ms");
        assert.deepEqual(failed, {});
      }
      const unserved = await unservedOf(await connected(), proxyPort);
      figure(fault, "clients that do not answer", unserved.length, "");
      assert.deepEqual(unserved, []);
    }
  }
  await onlyOneIsLeft(server);
});

/** Requests to some of the clients, from a moment ago on. */
async function loadOn(ids: readonly string[], proxyPort: number) {
  const some = ids.filter((_, index) => index % (CLIENTS / LOADED) === 0);
  const loads = some.map((host) => new SteadyLoad({ proxyPort, rawPort: 0, host }, PER_SECOND / LOADED));
  await sleep(1000);
  return {
    async stop() {
      await sleep(500);
      const tallies = await Promise.all(loads.map((load) => load.stop()));
      return {
        sent: loads.reduce((sum, { sent }) => sum + sent, 0),
        failed: Object.assign({}, ...tallies.map(({ reasons }) => reasons)) as Record<string, number>,
        slowest: Math.max(...tallies.map(({ slowest }) => slowest)),
      };
    },
  };
}

/** Asks every one of them. */
async function unservedOf(ids: readonly string[], proxyPort: number): Promise<string[]> {
  const unserved: string[] = [];
  const entries = ids.values();
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (const host of entries) {
      const { class: found, detail } = await new Caller({ proxyPort, rawPort: 0, host }).ask();
      if (found !== "correct") unserved.push(`${host}: ${detail}`);
    }
  }));
  return unserved;
}
