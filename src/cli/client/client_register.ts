import { existsSync, readFileSync } from "node:fs";
import { dirname, resolve } from "node:path";
import process from "node:process";
import { KnownHost } from "../../client/known_host.ts";
import { type ConnectTo, refuseOtherServer, register } from "../../client/register.ts";
import { readRegistration } from "../../client/state.ts";
import { knownTenant, readTenant } from "../../client/tenants.ts";
import { loadConfig } from "../../config/load.ts";
import type { ClientConfig } from "../../config/schema.ts";
import type { Overrides } from "../../config/template.ts";
import { TomlDocument } from "../../config/toml.ts";
import { changeConfig } from "../../control/change_config.ts";
import { PetitError } from "../../error.ts";
import { DEFAULT_TENANT } from "../../tenant_name.ts";
import { decodeJoinCode, type JoinCode } from "../../tunnel/join_code.ts";
import type { PublicKey } from "../../tunnel/keys.ts";
import { localOverrides } from "./client_init.ts";
import type { Invocation } from "../commands/command.ts";
import { initConfig } from "../init_config.ts";
import { refuseLoose } from "../strict_state.ts";
import { askSecret, canAsk } from "../terminal/ask_secret.ts";
import { withProgress } from "../terminal/progress.ts";
import { tellDaemon } from "./tell_daemon.ts";
import { vouchForHost } from "./vouch_for_host.ts";
import { configFile, textValue } from "../values.ts";

/** Milliseconds for the whole registration. */
const REGISTER_TIMEOUT = 60_000;

export async function clientRegister(invocation: Invocation): Promise<number> {
  const settings = localOverrides(invocation);
  const path = configFile(invocation);
  const tenant = knownTenant(dirname(resolve(path)), textValue(invocation, "tenant") ?? DEFAULT_TENANT);
  if (tenant !== DEFAULT_TENANT && Object.keys(settings).length > 0) {
    throw new PetitError("usage", `--local is for the tenant "${DEFAULT_TENANT}"`, {
      hint: `"petit client config -t ${tenant} port PORT" changes where the service of "${tenant}" is`,
      exitCode: 2,
    });
  }
  const isKnown = new KnownHost(dirname(resolve(path))).pinned;
  const vouched = isKnown ? undefined : await vouchedKey(invocation, path);
  const code = await codeOf(invocation, isKnown || vouched !== undefined);
  const joinCode = code === undefined ? undefined : decodeJoinCode(code);
  // A customer pastes one command: whoever has no config yet gets one on the way.
  if (!hasClientSection(path)) initConfig(path, "client", settings);
  const loaded = loadConfig(path);
  refuseLoose("client", loaded);
  const { config: { client: config }, file, folder } = loaded;
  const { id, port, endpoint, notice } = await registerTenant({
    config,
    file,
    folder,
    tenant,
    joinCode,
    vouched,
    settings,
  });
  const { daemon } = await tellDaemon(folder, "client");
  if (notice !== undefined) process.stderr.write(`petit: ${notice}: this is a new registration\n`);
  const { host, port: sshPort } = joinCode ?? config;
  if (invocation.values["json"] === true) {
    process.stdout.write(
      `${JSON.stringify({ tenant, id, port, endpoint, server: { host, port: sshPort }, daemon, notice })}\n`,
    );
    return 0;
  }
  const { local, dir } = readTenant(folder, tenant, loadConfig(file).config.client.local);
  const from = existsSync(`${dir}/config.toml`) ? `[local] in ${dir}/config.toml` : `[client.local] in ${file}`;
  const option = invocation.values["config"] === undefined ? "" : ` -c ${textValue(invocation, "config")}`;
  process.stdout.write(
    `Registered as ${id} with ${host}:${sshPort}\n` +
      `Endpoint  ${endpoint}\n` +
      `TCP port  ${port} on the server, for callers there\n` +
      `Service   ${local.host}:${local.port} (${from})\n\n` +
      (daemon === "reloaded"
        ? "The running client serves it now.\n"
        : `Next: "petit client start${option}" connects.\n`),
  );
  return 0;
}

/** The host key that stands in for a join code, where the config names a server of 0.6.x. @throws PetitError as `vouchForHost` */
async function vouchedKey(invocation: Invocation, path: string): Promise<PublicKey | undefined> {
  const option = textValue(invocation, "host-key");
  if (invocation.positionals.length > 0) {
    if (option === undefined) return undefined;
    throw new PetitError("usage", "A join code vouches for the host key: --host-key is for servers of petit 0.6", {
      exitCode: 2,
    });
  }
  if (option === undefined && !hasServer(path)) return undefined;
  return await vouchForHost(loadConfig(path).config.client, option);
}

/** The join code that was given, or is asked for where one is needed. @throws PetitError `join-code-needed`, or as `askSecret` */
async function codeOf({ positionals: [typed] }: Invocation, isKnown: boolean): Promise<string | undefined> {
  if (typed !== undefined) return typed === "-" ? await askSecret("Join code") : typed;
  if (isKnown) return undefined;
  if (!canAsk()) throw codeNeeded();
  return await askSecret("Join code");
}

/** A tenant to be registered with the server that the join code names, or with the client's own. */
export interface TenantToRegister {
  readonly config: ClientConfig;
  /** The config file; the join code's server is written into it. */
  readonly file: string;
  readonly folder: string;
  readonly tenant: string;
  readonly joinCode: JoinCode | undefined;
  /** As of `register`. */
  readonly vouched?: PublicKey | undefined;
  /** Written into the config file too. */
  readonly settings?: Overrides;
}

/** @throws PetitError as `register`; `already-registered`, `join-code-needed`, `other-server` */
export async function registerTenant(
  { config, file, folder, tenant, joinCode, vouched, settings = {} }: TenantToRegister,
): Promise<{ id: string; port: number; endpoint: string; notice?: string }> {
  if (joinCode === undefined) {
    if (vouched === undefined && !new KnownHost(folder).pinned) throw codeNeeded();
    const before = readRegistration(folder, tenant);
    if (before !== undefined) {
      const who = tenant === DEFAULT_TENANT ? "This client" : `Tenant "${tenant}"`;
      throw new PetitError("already-registered", `${who} is registered already, as ${before.id}`, {
        hint: 'Run "petit client" to connect, or give a join code to register with another server',
      });
    }
  } else refuseOtherServer(folder, tenant, joinCode);
  const { host, port } = joinCode ?? config;
  const registered = await withProgress(`Registering with ${host}:${port}`, () =>
    register({
      config,
      folder,
      tenant,
      joinCode,
      vouched,
      signal: AbortSignal.timeout(REGISTER_TIMEOUT),
      beforeKept: (target) =>
        changeConfig(file, "client", {
          ...(target === undefined ? {} : changedServer(config, target)),
          ...settings,
        }),
    }));
  const { registeredId: id, registeredPort, endpoint, notice } = registered;
  return { id, port: registeredPort, endpoint, ...(notice === undefined ? {} : { notice }) };
}

/** What is not set and is not different from the default stays out of the file. */
function changedServer(config: ClientConfig, target: ConnectTo): Overrides {
  const names = ["host", "port", "username", "backPort"] as const;
  return Object.fromEntries(
    names.filter((name) => config[name] !== target[name]).map((name) => [`client.${name}`, target[name]]),
  );
}

const codeNeeded = () =>
  new PetitError("join-code-needed", "A join code is needed to register", {
    hint:
      'Ask the server\'s operator for one and run "petit client register", or "… register -" with the code on standard input',
    exitCode: 2,
  });

/** @throws PetitError as `loadConfig` */
function hasClientSection(file: string): boolean {
  if (!existsSync(file)) return false;
  loadConfig(file);
  return new TomlDocument(readFileSync(file, "utf8")).value["client"] !== undefined;
}

/** Whether the config names a server, and does not leave it at where one is for a trial. */
function hasServer(file: string): boolean {
  return hasClientSection(file) && loadConfig(file).config.client.host !== "localhost";
}
