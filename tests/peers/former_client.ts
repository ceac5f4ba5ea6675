import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { configure, type Settings } from "../world/executable.ts";
import { type Background, type Finished, freePort, output, run } from "../world/processes.ts";
import { type Scope, temporaryFolder } from "../world/temporary_folder.ts";
import { bothOutputs } from "./both_outputs.ts";
import { FORMER_ENV, formerProgram } from "./former.ts";

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
  readonly #tenants: string[] = [];

  private constructor(scope: Scope) {
    this.#scope = scope;
    // Stopped before its folder goes.
    scope.after(() => this.process?.stop());
    this.folder = temporaryFolder(scope);
    this.config = join(this.folder, "config.toml");
  }

  /** `petit-client init`, and what differs from the config.toml that this writes. */
  static async init(scope: Scope, target: FormerTarget, settings: Settings = {}): Promise<FormerClient> {
    const client = new FormerClient(scope);
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
    this.process = this.launch();
    let tunnels = 0;
    await this.process.line((line) => line.includes("Tunnel connected.") && ++tunnels === this.#tenants.length);
    return this;
  }

  /** Runs the daemon, and waits for nothing. */
  launch(): Background {
    return this.process = bothOutputs(this.#scope, formerProgram("petit-clientd"), ["-c", this.config], {
      env: this.#env,
    });
  }

  async stop(): Promise<void> {
    await this.process.stop();
  }

  get #env(): Record<string, string> {
    return { ...FORMER_ENV, HOME: this.folder };
  }
}
