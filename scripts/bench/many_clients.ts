// Many clients in one process, each with its own key and id, one folder each below FOLDER:
//   many_clients.ts register FOLDER COUNT CODE   makes the keys and registers them; COUNT is how many
//   many_clients.ts connect FOLDER COUNT         connects all at once, tells how long that took, and stays until asked
//                                                to end
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { register } from "../../src/client/register.ts";
import { startClient } from "../../src/client/start_client.ts";
import { parseConfig } from "../../src/config/load.ts";
import { silentLog } from "../../src/observe/log.ts";
import { stopSignal } from "../../src/platform/stop_signal.ts";
import { DEFAULT_TENANT } from "../../src/tenant_name.ts";
import { decodeJoinCode } from "../../src/tunnel/join_code.ts";

/** Registrations under way at the same time. */
const AT_ONCE = 20;

const [what = "", root = "", countText = "", code = ""] = process.argv.slice(2);
const folders = Array.from({ length: Number(countText) }, (_, index) => join(root, String(index)));
const configFile = join(root, "config.toml");

if (what === "register") await registerAll();
else await connectAll();

async function registerAll(): Promise<void> {
  const joinCode = decodeJoinCode(code);
  mkdirSync(root, { recursive: true });
  writeFileSync(configFile, `[client]\nhost = "${joinCode.host}"\nport = ${joinCode.port}\n`);
  const { client } = parseConfig(readFileSync(configFile, "utf8"), configFile);
  const waiting = [...folders];
  await Promise.all(Array.from({ length: AT_ONCE }, async () => {
    for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
      mkdirSync(folder);
      await register({ config: client, folder, tenant: DEFAULT_TENANT, joinCode, signal: AbortSignal.timeout(60_000) });
    }
  }));
}

async function connectAll(): Promise<void> {
  const { client } = parseConfig(readFileSync(configFile, "utf8"), configFile);
  const signal = stopSignal();
  const begun = performance.now();
  const clients = folders.map((folder) => startClient(client, folder, silentLog(), signal));
  const registrations = await Promise.all(clients.map(({ connected }) => connected));
  const seconds = (performance.now() - begun) / 1000;
  const served = new Set(registrations.flat().map(({ registeredId }) => registeredId)).size;
  process.stdout.write(`${JSON.stringify({ seconds, served })}\n`);
  await Promise.all(clients.map(({ closed }) => closed));
}
