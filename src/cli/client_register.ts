import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import process from "node:process";
import { KnownHost } from "../client/known_host.ts";
import { register } from "../client/register.ts";
import { DEFAULT_TENANT, readRegistration } from "../client/state.ts";
import { loadConfig } from "../config/load.ts";
import type { Overrides } from "../config/template.ts";
import { TomlDocument } from "../config/toml.ts";
import { PetitError } from "../error.ts";
import { writeStateFile } from "../platform/state_file.ts";
import { decodeJoinCode } from "../tunnel/join_code.ts";
import { localOverrides } from "./client_init.ts";
import type { Invocation } from "./command.ts";
import { initConfig } from "./init_config.ts";
import { configFile, textValue } from "./values.ts";

/** Milliseconds for the whole registration. */
const REGISTER_TIMEOUT = 60_000;

export async function clientRegister(invocation: Invocation): Promise<number> {
  const typed = invocation.positionals[0];
  const joinCode = typed === undefined ? undefined : decodeJoinCode(typed);
  const local = localOverrides(invocation);
  const path = configFile(invocation);
  if (joinCode === undefined && !new KnownHost(dirname(resolve(path))).pinned) {
    throw new PetitError("join-code-needed", "A join code is needed to register", {
      hint: 'Ask the server\'s operator for one and run "petit client register CODE"',
      exitCode: 2,
    });
  }
  // A customer pastes one command: whoever has no config yet gets one on the way.
  if (!hasClientSection(path)) initConfig(path, "client", local);
  const { config, file, folder } = loadConfig(path);
  const before = readRegistration(folder, DEFAULT_TENANT);
  if (joinCode === undefined && before !== undefined) {
    throw new PetitError("already-registered", `This client is registered already, as ${before.id}`, {
      hint: 'Run "petit client" to connect, or give a join code to register with another server',
    });
  }
  const registered = await register({
    config: config.client,
    folder,
    tenant: DEFAULT_TENANT,
    joinCode,
    signal: AbortSignal.timeout(REGISTER_TIMEOUT),
  });
  const server = joinCode ?? config.client;
  changeConfig(file, { "client.host": server.host, "client.port": server.port, ...local });
  const { registeredId: id, registeredPort: port, endpoint } = registered;
  if (invocation.values["json"] === true) {
    process.stdout.write(
      `${JSON.stringify({ id, port, endpoint, server: { host: server.host, port: server.port } })}\n`,
    );
    return 0;
  }
  const service = loadConfig(file).config.client.local;
  const option = invocation.values["config"] === undefined ? "" : ` -c ${textValue(invocation, "config")}`;
  process.stdout.write(
    `Registered as ${id} with ${server.host}:${server.port}\n` +
      `Endpoint  ${endpoint}\n` +
      `TCP port  ${port} on the server, for callers there\n` +
      `Service   ${service.host}:${service.port} ([client.local] in ${file})\n\n` +
      `Next: "petit client${option}" connects.\n`,
  );
  return 0;
}

function hasClientSection(file: string): boolean {
  return existsSync(file) && new TomlDocument(readFileSync(file, "utf8")).value["client"] !== undefined;
}

/** Sets what differs from the file, and leaves the rest of it as it is. */
function changeConfig(file: string, settings: Overrides): void {
  const before = readFileSync(file, "utf8");
  let text = before;
  for (const [path, value] of Object.entries(settings)) {
    const parts = path.split(".");
    const key = parts.pop() as string;
    const document = new TomlDocument(text);
    if (document.get([...parts, key]) !== value) text = document.with(parts.join("."), key, value);
  }
  if (text !== before) writeStateFile(file, text);
}
