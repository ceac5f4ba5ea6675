import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configure, type Settings } from "../world/executable.ts";
import { type Background, type Finished, freePort, output, run } from "../world/processes.ts";
import { type Scope, temporaryFolder } from "../world/temporary_folder.ts";
import { formerEnv, type FormerOutput, formerProgram, launchFormer } from "./former.ts";

/** A server that a client of 0.6.34 can use, on 127.0.0.1. */
export interface FormerTarget {
  readonly sshPort: number;
  /** The backchannel of 0.6.x, plain TCP. */
  readonly backPort: number;
  /** Whom its tunnel logs in as. */
  readonly username: string;
}

/** What its files say of a tenant that it has registered. */
export interface FormerRegistration {
  readonly id: string;
  readonly port: number;
}

/** A client of 0.6.34 with a folder of its own, for a server of whatever version. */
export class FormerClient {
  /** Stands for `~/.petit`. */
  readonly folder: string;
  readonly config: string;
  /** The latest process; its lines are JSON, except for the trace of its death. */
  process!: Background;
  readonly #scope: Scope;
  readonly #more: Record<string, string>;
  readonly #tenants: string[] = [];

  private constructor(scope: Scope, more: Record<string, string>) {
    this.#scope = scope;
    this.#more = more;
    // Stopped before its folder goes.
    scope.after(() => this.process?.stop());
    this.folder = temporaryFolder(scope);
    this.config = join(this.folder, "config.toml");
  }

  /**
   * `petit-client init`, and what differs from the config.toml that this writes.
   *
   * @param more the environment of its programs, beside what all of them have
   */
  static async init(
    scope: Scope,
    target: FormerTarget,
    settings: Settings = {},
    more: Record<string, string> = {},
  ): Promise<FormerClient> {
    const client = new FormerClient(scope, more);
    // At an error of its tunnel it would give its registrations up, kill every other client of 0.6.x on the machine and
    // start itself anew, out of anybody's sight, unless it has done so within the last ten minutes.
    writeFileSync(
      join(client.folder, "healing"),
      JSON.stringify({ lastAttempt: Number.MAX_SAFE_INTEGER, attempts: 1 }),
    );
    await client.succeed("init");
    configure(client.config, {
      "client.host": "127.0.0.1",
      "client.port": target.sshPort,
      "client.backPort": target.backPort,
      "client.username": target.username,
      "client.listenPort": await freePort(),
      "client.apiPort": await freePort(),
      ...settings,
    });
    return client;
  }

  /**
   * `petit-client register` of a tenant with a folder of this name. The folders are made here: 0.6.34 takes the making
   * of one for an error, so that its first registering on a machine fails.
   */
  async register(servicePort: number, tenant = "first"): Promise<FormerRegistration> {
    const folder = join(this.folder, "tenants", tenant);
    for (const made of [folder, join(this.folder, "logs")]) mkdirSync(made, { recursive: true });
    writeFileSync(
      join(folder, "config.toml"),
      `name = "${tenant}"\nindex = ${this.#tenants.length + 1}\n\n` +
        `[local]\nhost = "127.0.0.1"\nport = ${servicePort}\ntls = false\n`,
    );
    await this.succeed("register", "-t", tenant);
    this.#tenants.push(tenant);
    return this.registration(tenant);
  }

  /** What it has kept of a tenant's registration. */
  registration(tenant = "first"): FormerRegistration {
    return JSON.parse(readFileSync(join(this.folder, "tenants", tenant, "registration"), "utf8"));
  }

  /** Runs `petit-client` with a command to its end, however it ends. */
  run(command: string, ...args: string[]): Promise<Finished> {
    return run(formerProgram("petit-client"), [command, ...args, "-c", this.config], { env: this.#env });
  }

  /** The same, for a command that has to succeed; returns what it printed. */
  succeed(command: string, ...args: string[]): Promise<string> {
    return output(formerProgram("petit-client"), [command, ...args, "-c", this.config], { env: this.#env });
  }

  /** Runs the daemon; resolves when the tunnels of all tenants are there. */
  async start(): Promise<this> {
    let tunnels = 0;
    await this.launch().line((line) => line.includes("Tunnel connected.") && ++tunnels === this.#tenants.length);
    return this;
  }

  /** Runs the daemon, and waits for nothing. */
  launch(output: FormerOutput = "lines"): Background {
    return this.process = launchFormer(this.#scope, "petit-clientd", this.config, this.folder, output, this.#more);
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }

  /** How often its daemon has logged something. */
  count(what: string): number {
    return this.process.lines.filter((line) => line.includes(what)).length;
  }

  /** Whether an error of its tunnel has made it give up what it has, or would have. */
  get heals(): boolean {
    return this.count("Trying to heal connection") > 0;
  }

  get #env(): Record<string, string> {
    return { ...formerEnv(this.folder), ...this.#more };
  }
}
