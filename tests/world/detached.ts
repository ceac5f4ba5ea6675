import process from "node:process";
import type { Started } from "../../src/cli/daemon/daemon_start.ts";
import { isLocked, type Role } from "../../src/platform/folder_lock.ts";
import { findDaemon } from "../../src/platform/pid_file.ts";
import { eventually } from "./eventually.ts";
import { ClientProcess, petitExecutable, ServerProcess, type Settings } from "./executable.ts";
import { type Finished, run, type RunOptions } from "./processes.ts";
import type { Scope } from "./temporary_folder.ts";

/** A daemon in the background, as a person has it: steered by commands only. */
export class Detached {
  readonly role: Role;
  readonly folder: string;
  readonly config: string;

  /** The petit that it is, and is steered by. */
  readonly program: string;

  constructor(role: Role, folder: string, config: string, program = petitExecutable) {
    this.program = program;
    this.role = role;
    this.folder = folder;
    this.config = config;
  }

  /** `petit ROLE COMMAND …`, however it ends. */
  run(command: string, ...more: string[]): Promise<Finished> {
    return this.runWith({}, command, ...more);
  }

  runWith(options: RunOptions, command: string, ...more: string[]): Promise<Finished> {
    return run(this.program, [this.role, command, ...more, "-c", this.config], {
      ...options,
      env: { HOME: this.folder, ...options.env },
    });
  }

  /** `petit ROLE start --json`, which has to succeed. */
  async start(...more: string[]): Promise<Started> {
    const { code, stdout, stderr } = await this.run("start", "--json", ...more);
    if (code !== 0) throw new Error(`petit ${this.role} start exited with ${code}: ${stdout}${stderr}`);
    return JSON.parse(stdout) as Started;
  }

  /** Ends it without warning, if it runs. */
  async kill(): Promise<void> {
    const found = findDaemon(this.folder, this.role);
    if (found === undefined) return;
    if (found === "starting") {
      await eventually("it says its process id", () => findDaemon(this.folder, this.role) !== "starting");
    }
    const now = findDaemon(this.folder, this.role);
    if (now !== undefined && now !== "starting") process.kill(now.pid, "SIGKILL");
    await eventually("it is gone", () => !isLocked(this.folder, this.role));
  }
}

/** A server that can be started, with a folder of its own; it does not outlive the test. */
export async function detachedServer(
  scope: Scope,
  settings: Settings = {},
  program = petitExecutable,
): Promise<Detached & { readonly server: ServerProcess }> {
  const made: { daemon?: Detached } = {};
  // Before its folder goes.
  scope.after(() => made.daemon?.kill());
  const server = await ServerProcess.init(scope, settings, {}, program);
  made.daemon = new Detached("server", server.folder, server.config, program);
  return Object.assign(made.daemon, { server });
}

/** A registered client that can be started. */
export async function detachedClient(
  scope: Scope,
  server: ServerProcess,
  servicePort: number,
  program = petitExecutable,
): Promise<Detached & { readonly client: ClientProcess }> {
  const made: { daemon?: Detached } = {};
  // Before its folder goes.
  scope.after(() => made.daemon?.kill());
  const client = await new ClientProcess(scope, {}, program).register(await server.joinCode(), servicePort);
  client.takeFreePorts();
  made.daemon = new Detached("client", client.folder, client.config, program);
  return Object.assign(made.daemon, { client });
}

/** Whether a process exists and is no zombie. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
