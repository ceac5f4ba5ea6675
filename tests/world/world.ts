import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import pino from "pino";
import { register } from "../../src/client/register.ts";
import { type RunningClient, startClient } from "../../src/client/start_client.ts";
import { parseConfig } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { makeHostKey } from "../../src/server/host_key/host_key.ts";
import { type RunningServer, startServer } from "../../src/server/start_server.ts";
import { DEFAULT_TENANT } from "../../src/tenant_name.ts";
import { encodeJoinCode, hashJoinSecret, type JoinCode, newJoinSecret } from "../../src/tunnel/join_code.ts";
import type { Registered } from "../../src/tunnel/messages.ts";
import { firstReversePort } from "./ports.ts";
import { type Scope, temporaryFolder } from "./temporary_folder.ts";

/** One line of a daemon's log. */
export interface LogLine {
  level: string;
  msg: string;
  code?: string;
  [key: string]: unknown;
}

export { type Scope, temporaryFolder };

/** A TCP service on a free loopback port, whose connections are destroyed with the test. */
export async function startService(
  scope: Scope,
  onConnection: (socket: Socket) => void,
): Promise<{ port: number; server: Server; sockets: Set<Socket> }> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    onConnection(socket);
  });
  const port = await listenOn(server);
  scope.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { port, server, sockets };
}

/** Listens on a free loopback port, or on the one given. */
export function listenOn(server: Server, port = 0): Promise<number> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, "127.0.0.1", () => resolve((server.address() as { port: number }).port));
  });
}

/** A server in this process, with a folder of its own and free ports. */
export class TestServer {
  readonly folder: string;
  readonly config: Config;
  readonly log: LogLine[] = [];
  readonly #waiting: { test: (line: LogLine) => boolean; resolve: (line: LogLine) => void }[] = [];
  running!: RunningServer;
  #stop = new AbortController();

  /** @param settings lines for the [server] section of the config; `more`: other sections */
  constructor(scope: Scope, settings = "", more = "") {
    // Stopped before its folder goes: a daemon would write into it again.
    scope.after(() => this.stop());
    this.folder = temporaryFolder(scope);
    const holdFor = settings.includes("holdFor") ? "" : 'holdFor = "0s"\n';
    const text =
      `[server]\n${holdFor}proxyHost = "127.0.0.1"\nproxyPort = 0\nsecureProxyHost = "127.0.0.1"\nsecureProxyPort = 0\ndrainFor = "0s"\n` +
      `firstReversePort = ${firstReversePort()}\n${settings}\n` +
      `[server.ssh]\nlistenHost = "127.0.0.1"\nport = 0\n${more}\n`;
    this.config = parseConfig(text, join(this.folder, "config.toml"));
    makeHostKey(this.config.server.ssh.hostKey);
  }

  async start(): Promise<this> {
    this.#stop = new AbortController();
    this.running = await startServer(this.config.server, memoryLog(this.log, this.#waiting), this.#stop.signal);
    // A server that is started again comes back under the same ports.
    this.config.server.proxyPort = this.running.proxyPort;
    this.config.server.ssh.port = this.running.sshPort;
    return this;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.running?.closed;
  }

  /** The first line of the log, past or to come, that passes `test`. */
  logged(test: (line: LogLine) => boolean): Promise<LogLine> {
    return waitForLine(this.log, this.#waiting, test);
  }

  /** A join code of this server, without going through the command line. */
  joinCode(options: { uses?: number; expiresAt?: number; brand?: string } = {}): JoinCode {
    const secret = newJoinSecret();
    const registry = openRegistry(this.config.server.registryUrl);
    registry.addJoinCode({
      hash: hashJoinSecret(secret),
      brand: options.brand ?? "",
      usesLeft: options.uses ?? 1,
      expiresAt: options.expiresAt ?? Date.now() + 3_600_000,
    });
    registry.close();
    return { secret, host: "127.0.0.1", port: this.running.sshPort, hostKeyFingerprint: this.hostKeyFingerprint };
  }

  /** The same as the one word that a customer pastes. */
  joinCodeText(options: { uses?: number; expiresAt?: number; brand?: string } = {}): string {
    return encodeJoinCode(this.joinCode(options));
  }

  get hostKeyFingerprint(): string {
    return this.log.find((line) => line["hostKey"] !== undefined)?.["hostKey"] as string;
  }
}

/** A client in this process, with a folder of its own. */
export class TestClient {
  readonly folder: string;
  readonly config: Config;
  readonly log: LogLine[] = [];
  readonly #waiting: { test: (line: LogLine) => boolean; resolve: (line: LogLine) => void }[] = [];
  registered!: Registered;
  running!: RunningClient;
  #stop = new AbortController();

  /**
   * @param settings lines for the [client] section of the config
   * @param probe [client.local] probe; tests know which connections their services get
   */
  constructor(scope: Scope, server: TestServer, servicePort: number, settings = "", probe = "none") {
    // Stopped before its folder goes: a daemon would write into it again.
    scope.after(() => this.stop());
    this.folder = temporaryFolder(scope);
    const drainFor = settings.includes("drainFor") ? "" : 'drainFor = "0s"\n';
    const text = `[client]\nhost = "127.0.0.1"\nport = ${server.running.sshPort}\n${drainFor}${settings}\n` +
      `[client.local]\nhost = "127.0.0.1"\nport = ${servicePort}\nprobe = "${probe}"\n`;
    this.config = parseConfig(text, join(this.folder, "config.toml"));
  }

  async register(joinCode: JoinCode | undefined): Promise<this> {
    this.registered = await register({
      config: this.config.client,
      folder: this.folder,
      tenant: DEFAULT_TENANT,
      joinCode,
      signal: AbortSignal.timeout(10_000),
      beforeKept: (target) => {
        const { host, port, username, backPort } = target ?? this.config.client;
        Object.assign(this.config.client, { host, port, username, backPort });
      },
    });
    return this;
  }

  /** Starts, and waits for the tunnel. */
  async start(): Promise<this> {
    this.launch();
    await this.running.connected;
    return this;
  }

  /** Starts without waiting. */
  launch(): void {
    this.#stop = new AbortController();
    this.running = startClient(this.config.client, this.folder, memoryLog(this.log, this.#waiting), this.#stop.signal);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.running?.closed;
  }

  logged(test: (line: LogLine) => boolean): Promise<LogLine> {
    return waitForLine(this.log, this.#waiting, test);
  }
}

/** Server, client and service, connected: what most tests need. */
export interface World {
  server: TestServer;
  client: TestClient;
  /** The id of the registration. */
  id: string;
  proxyPort: number;
  /** The reverse port. */
  rawPort: number;
  service: { port: number; server: Server; sockets: Set<Socket> };
}

/** Builds a world around a service that handles its connections with `onConnection`. */
export async function makeWorld(
  scope: Scope,
  onConnection: (socket: Socket) => void,
  settings: { server?: string; ssh?: string; client?: string; probe?: string } = {},
): Promise<World> {
  const service = await startService(scope, onConnection);
  const server = await new TestServer(scope, settings.server, settings.ssh).start();
  const client = await new TestClient(scope, server, service.port, settings.client, settings.probe)
    .register(server.joinCode());
  await client.start();
  return {
    server,
    client,
    service,
    id: client.registered.registeredId,
    proxyPort: server.running.proxyPort,
    rawPort: client.registered.registeredPort,
  };
}

function memoryLog(
  lines: LogLine[],
  waiting: { test: (line: LogLine) => boolean; resolve: (line: LogLine) => void }[],
) {
  return pino({ level: "debug", base: null, formatters: { level: (label) => ({ level: label }) } }, {
    write(text: string) {
      const line = JSON.parse(text) as LogLine;
      lines.push(line);
      for (const { test, resolve } of waiting) if (test(line)) resolve(line);
    },
  });
}

function waitForLine(
  lines: LogLine[],
  waiting: { test: (line: LogLine) => boolean; resolve: (line: LogLine) => void }[],
  test: (line: LogLine) => boolean,
): Promise<LogLine> {
  const past = lines.find(test);
  return past === undefined ? new Promise((resolve) => waiting.push({ test, resolve })) : Promise.resolve(past);
}
