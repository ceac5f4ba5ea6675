import { existsSync, realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";
import process from "node:process";
import { closest } from "../closest.ts";
import { refuseFormer } from "../config/former_settings.ts";
import { loadConfig, type LoadedConfig } from "../config/load.ts";
import { PetitError } from "../error.ts";
import { findDaemon } from "../platform/pid_file.ts";
import { selfCommand } from "../platform/self_command.ts";
import type { Role, ServiceManager } from "../platform/service/service_manager.ts";
import { thisServiceManager } from "../platform/service/this_service_manager.ts";
import type { Invocation } from "./commands/command.ts";
import { withProgress } from "./terminal/progress.ts";
import { configFile } from "./values.ts";

/** Seconds that a daemon may take to end after `drainFor`. */
const STOP_GRACE = 15;

export async function installService(invocation: Invocation): Promise<number> {
  const role = roleOf(invocation);
  const manager = managerFor(invocation);
  const [program, ...source] = selfCommand();
  if (source.length > 0) {
    throw new PetitError("service-from-source", "A service runs petit's executable, and this is petit's source", {
      hint: 'Build it with "npm run build" and use dist/petit',
    });
  }
  const executable = realpathSync(program);
  const loaded = loadConfig(configFile(invocation));
  refuseFormer(role, loaded.former);
  const { drainFor } = loaded.config[role];
  const definition = {
    role,
    executable: withoutControls(executable),
    config: withoutControls(loaded.file),
    writable: writableFolders(role, loaded).map(withoutControls),
    uid: statSync(loaded.file).uid,
    stopTimeout: Math.ceil(drainFor / 1000) + STOP_GRACE,
  };
  await refuseOtherDaemon(role, loaded, manager);
  const status = await withProgress(`Installing petit-${role}`, async () => {
    await manager.install(definition);
    return await manager.status(role);
  });
  process.stdout.write(
    `Service     petit-${role}, ${scopeOf(manager)}, run by ${manager.name}\n` +
      `Definition  ${manager.definitionOf(role)}\nRuns        ${executable} ${role} run -c ${loaded.file}\n` +
      `State       ${status.state}${status.pid === null ? "" : `, pid ${status.pid}`}\n\n` +
      `${manager.advice(role).map((sentence) => `${sentence}\n`).join("")}`,
  );
  return 0;
}

export async function uninstallService(invocation: Invocation): Promise<number> {
  const role = roleOf(invocation);
  const manager = managerFor(invocation);
  await withProgress(`Stopping petit-${role}`, () => manager.uninstall(role));
  process.stdout.write(`The service petit-${role} is stopped and gone; its config and state are where they were\n`);
  return 0;
}

/** Prints how a service is; the exit code is 0 where it runs and 3 where it does not. */
export async function serviceStatus(invocation: Invocation): Promise<number> {
  const role = roleOf(invocation);
  let manager = managerFor(invocation);
  let status = await manager.status(role);
  if (!status.installed && manager.scope === "user" && invocation.values["user"] !== true) {
    // Anybody may ask about a service of the whole machine.
    const system = thisServiceManager("system");
    const other = await system.status(role);
    if (other.installed) [manager, status] = [system, other];
  }
  const { scope } = manager;
  process.stdout.write(
    invocation.values["json"] === true
      ? `${JSON.stringify({ service: `petit-${role}`, scope, ...status, definition: manager.definitionOf(role) })}\n`
      : status.installed
      ? `petit-${role} (${scopeOf(manager)}) is ${status.state}${status.pid === null ? "" : `, pid ${status.pid}`}; ` +
        `${status.enabled ? "it starts by itself" : "it does not start by itself"}\n`
      : `petit-${role} is not installed as a service\n`,
  );
  return status.running ? 0 : 3;
}

/** @throws PetitError `usage` */
function roleOf({ positionals: [word] }: Invocation): Role {
  if (word === "server" || word === "client") return word;
  const nearest = word === undefined ? undefined : closest(word, ["server", "client"]);
  throw new PetitError("usage", word === undefined ? "Which daemon?" : `"${word}" is not a daemon of petit`, {
    hint: nearest === undefined ? "Wanted: server or client" : `Did you mean "${nearest}"`,
    exitCode: 2,
  });
}

/** A daemon that was started by hand would keep the service's from its folder for ever. @throws PetitError `daemon-running` */
async function refuseOtherDaemon(role: Role, { folder, file }: LoadedConfig, manager: ServiceManager): Promise<void> {
  const found = findDaemon(folder, role);
  if (found === undefined) return;
  const { running, pid } = await manager.status(role);
  const own = running && (pid === null || found === "starting" || found.pid === pid);
  if (own) return;
  throw new PetitError("daemon-running", `A ${role} is running on "${folder}" already, and not as this service`, {
    hint: `Stop it first: petit ${role} stop -c ${file}`,
  });
}

function managerFor({ values }: Invocation): ServiceManager {
  if (values["user"] === true && process.platform === "win32") {
    throw new PetitError("usage", "On Windows a service is one of the whole machine", {
      hint: "Leave out --user",
      exitCode: 2,
    });
  }
  return values["user"] === true ? thisServiceManager("user") : thisServiceManager();
}

function scopeOf({ scope }: ServiceManager): string {
  return scope === "system" ? "for the whole machine" : "for this user";
}

/** The folders that a daemon writes to, and those are there. */
function writableFolders(role: Role, { folder, config }: LoadedConfig): string[] {
  const files = role === "server"
    ? [config.server.registryUrl, config.server.usageUrl, config.server.auditUrl].filter((url) => url !== "").map((
      url,
    ) => url.slice("sqlite:".length))
    : [];
  const folders = [folder, ...files.map((file) => dirname(file)), config[role].logFolder].filter((path) => path !== "");
  const outside = [...new Set(folders)].filter((path) => path === folder || !path.startsWith(`${folder}/`));
  return outside.filter((path) => existsSync(path));
}

/** A line feed in a path would be a line of its own in a definition. */
function withoutControls(path: string): string {
  if (!/\p{Cc}/u.test(path)) return path;
  throw new PetitError(
    "usage",
    `A path with control characters cannot be in a service's definition: ${JSON.stringify(path)}`,
    {
      exitCode: 2,
    },
  );
}
