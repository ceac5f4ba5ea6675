import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { register } from "../../src/client/register.ts";
import { startClient } from "../../src/client/start_client.ts";
import { parseConfig } from "../../src/config/load.ts";
import { silentLog } from "../../src/observe/log.ts";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { DEFAULT_TENANT } from "../../src/tenant_name.ts";
import { decodeJoinCode } from "../../src/tunnel/join_code.ts";
import { publicKeyOf } from "../../src/tunnel/keys.ts";
import { type Registered } from "../../src/tunnel/messages.ts";
import { ServerProcess } from "../world/executable.ts";
import { temporaryFolder } from "../world/world.ts";
import { peerTest } from "./peer_test.ts";

const KILLS = 8;
/** Clients that register at the same time. */
const AT_ONCE = 4;
/** The server dies at some moment within so many milliseconds of clients registering. */
const DIES_WITHIN = 700;

// The clients are in this process: a process for each would spend the time on starting.
peerTest("a server killed while clients register knows every client that it has answered", [], async (t) => {
  const folder = temporaryFolder(t);
  const server = await ServerProcess.init(t);
  const text = `[client]\nhost = "127.0.0.1"\nport = ${server.sshPort}\n`;
  const config = parseConfig(text, join(folder, "config.toml")).client;
  const signal = new AbortController().signal;
  const acknowledged: { folder: string; registered: Registered }[] = [];
  let begun = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    await server.start();
    const joinCode = decodeJoinCode(await server.joinCode(1000));
    let dead = false;
    const registering = Array.from({ length: AT_ONCE }, async () => {
      while (!dead) {
        const own = join(folder, String(begun++));
        mkdirSync(own);
        const registered = await register({ config, folder: own, tenant: DEFAULT_TENANT, joinCode, signal })
          .catch(() => undefined);
        if (registered !== undefined) acknowledged.push({ folder: own, registered });
      }
    });
    await sleep(Math.random() * DIES_WITHIN);
    await server.kill();
    dead = true;
    await Promise.all(registering);
  }
  t.diagnostic(`${begun} clients began to register, ${acknowledged.length} were answered`);
  const ids = new Set(acknowledged.map(({ registered }) => registered.registeredId));
  assert.ok(ids.size > 0);
  assert.equal(ids.size, acknowledged.length, "an id was given away twice");

  const registry = openRegistry(server.registryUrl);
  const kept = new Map(registry.registrations().map(({ id, port, fingerprint }) => [id, { port, fingerprint }]));
  registry.close();
  for (const { folder, registered: { registeredId, registeredPort } } of acknowledged) {
    const { fingerprint } = publicKeyOf(readFileSync(join(folder, "key")));
    assert.deepEqual(kept.get(registeredId), { port: registeredPort, fingerprint }, registeredId);
  }

  await server.start();
  const connecting = Array.from({ length: AT_ONCE }, async () => {
    for (let client = acknowledged.pop(); client !== undefined; client = acknowledged.pop()) {
      const stop = new AbortController();
      const running = startClient(config, client.folder, silentLog(), stop.signal);
      const [connected] = await running.connected;
      assert.equal(connected?.registeredId, client.registered.registeredId);
      stop.abort();
      await running.closed;
    }
  });
  await Promise.all(connecting);
});
