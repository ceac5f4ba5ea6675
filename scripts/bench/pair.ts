import { ask } from "./ask.ts";

/** The services that are reached: one whose speed is measured, and one for callers that break off. */
export interface Services {
  readonly measured: number;
  readonly abused: number;
}

/** A server of some version, on ports that stay the same. */
export interface ServerSide {
  readonly proxyPort: number;
  /** Resolves when it listens. */
  start(): Promise<void>;
  stop(): Promise<void>;
  pids(): number[];
  /** Of what it needs beside itself. */
  besidePids(): number[];
}

/** What has registered both services with it. */
export interface ClientSide {
  /** The Host fields that lead to the services. */
  readonly hosts: Readonly<Record<keyof Services, string>>;
  /** The reverse port of the measured service. */
  readonly rawPort: number;
  start(): void;
  stop(): Promise<void>;
  /** Of the client in front of the measured service. */
  pids(): number[];
}

/** A server with a client, which need not be of one version. */
export class Pair {
  readonly server: ServerSide;
  readonly client: ClientSide;

  private constructor(server: ServerSide, client: ClientSide) {
    this.server = server;
    this.client = client;
  }

  /** @param register makes the client while the server runs, and does not leave it running */
  static async make(server: ServerSide, register: () => Promise<ClientSide>): Promise<Pair> {
    await server.start();
    const client = await register();
    await server.stop();
    return new Pair(server, client);
  }

  /** Starts both; resolves when requests go through to both services. */
  async start(path: string): Promise<void> {
    await this.server.start();
    this.client.start();
    for (const host of Object.values(this.client.hosts)) {
      await until(`${host} answers`, () => isAnswered(this.server.proxyPort, host, path));
    }
  }

  async stop(): Promise<void> {
    await this.client.stop();
    await this.server.stop();
  }

  /** Of all that takes part. */
  get pids(): number[] {
    return [...this.server.pids(), ...this.server.besidePids(), ...this.client.pids()];
  }
}

/** Whether a request goes through. */
export async function isAnswered(port: number, host: string, path: string): Promise<boolean> {
  return await ask({ port, host }, "GET", path).then(({ status }) => status === 200, () => false);
}

/** Waits for half a minute at most. */
export async function until(what: string, test: () => Promise<boolean>): Promise<void> {
  const end = performance.now() + 30_000;
  while (!await test()) {
    if (performance.now() > end) throw new Error(`${what}: not within 30 s`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
