import type { Executables } from "../../world/executable.ts";
import type { Background } from "../../world/processes.ts";
import type { Scope } from "../../world/world.ts";
import { Caller } from "./caller.ts";
import { startServiceProcess } from "./fault_world.ts";

/** Who is killed. */
export const WHO = ["client", "server", "service"] as const;
export type Killed = typeof WHO[number];

/** A service that can be killed, and started again under the same port. */
export interface Killable {
  kill(): Promise<void>;
  start(): Promise<void>;
}

/** The verifying service. */
export class KillableService implements Killable {
  readonly port: number;
  readonly #scope: Scope;
  #process: Background;

  private constructor(scope: Scope, port: number, process: Background) {
    this.port = port;
    this.#scope = scope;
    this.#process = process;
  }

  static async start(scope: Scope): Promise<KillableService> {
    const { port, process } = await startServiceProcess(scope);
    return new KillableService(scope, port, process);
  }

  async kill(): Promise<void> {
    await this.#process.stop("SIGKILL");
  }

  async start(): Promise<void> {
    this.#process = (await startServiceProcess(this.#scope, this.port)).process;
  }
}

/** A server, a client and a service, without anything in between, of which one is killed with SIGKILL and started again. */
export class KillWorld {
  readonly #world: Executables;
  readonly #service: Killable;

  constructor(world: Executables, service: Killable) {
    this.#world = world;
    this.#service = service;
  }

  caller(): Caller {
    return new Caller(this.#world);
  }

  /** The process ids of the daemons that are not killed. */
  survivors(who: Killed): Record<string, number> {
    const { client, server } = this.#world;
    const all = Object.entries({ client, server }).filter(([name]) => name !== who);
    return Object.fromEntries(all.map(([name, { daemon }]) => [name, daemon.pid]));
  }

  async kill(who: Killed): Promise<void> {
    const { client, server } = this.#world;
    if (who === "server") await server.kill();
    else if (who === "client") await client.daemon.process.stop("SIGKILL");
    else await this.#service.kill();
  }

  /** Settles when it says that it has started; a client: before it has connected. */
  async start(who: Killed): Promise<void> {
    const { client, server } = this.#world;
    if (who === "server") await server.start();
    else if (who === "service") await this.#service.start();
    else {
      client.start().catch(() => {});
      await client.daemon.logged(({ msg }) => msg.startsWith("Commands are taken"));
    }
  }
}
