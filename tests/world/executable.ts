import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { executable } from "../../scripts/project.ts";
import { TomlDocument } from "../../src/config/toml.ts";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { generateKey } from "../../src/tunnel/keys.ts";
import { firstReversePort, freePort } from "./ports.ts";
import { Background, type Finished, output, run, type RunOptions } from "./processes.ts";
import { type LogLine, type Scope, temporaryFolder } from "./world.ts";

/** The petit that is tested: what `npm run build` made, or the one that PETIT_EXECUTABLE names. */
export const petitExecutable = process.env["PETIT_EXECUTABLE"] ?? executable;

/** Settings by "section.key". */
export type Settings = Record<string, string | number | boolean | readonly string[]>;

/** Runs a command of the executable to its end. */
export function petit(args: string[], options: RunOptions = {}): Promise<Finished> {
  return run(petitExecutable, args, options);
}

/** Sets values in a config file. */
export function configure(file: string, settings: Settings): void {
  let text = readFileSync(file, "utf8");
  for (const [path, value] of Object.entries(settings)) {
    const [, section, key] = /^(.*)\.([^.]+)$/.exec(path) as unknown as [string, string, string];
    text = new TomlDocument(text).with(section, key, value);
  }
  writeFileSync(file, text);
}

/** A daemon of petit as a process of its own. What it logs is JSON, one line each, on standard error. */
export class Daemon {
  readonly process: Background;

  /** @param launcher the words of a program that it is started by, such as `setpriv` with its options */
  constructor(args: string[], env: Record<string, string>, launcher: readonly string[] = []) {
    const [program, ...words] = [...launcher, petitExecutable, ...args] as [string, ...string[]];
    this.process = new Background(program, words, { env });
  }

  get pid(): number {
    return this.process.child.pid as number;
  }

  get log(): LogLine[] {
    return this.process.lines.map(parseLine);
  }

  /** The first line, past or to come, that passes `test`; rejects when the daemon ends before. */
  async logged(test: (line: LogLine) => boolean): Promise<LogLine> {
    return parseLine(await this.process.line((line) => test(parseLine(line))));
  }

  /** Stops it in order. @throws Error when it does not end by itself with 0, or has logged a fault of petit's own */
  async stop(): Promise<void> {
    const code = await this.process.stop("SIGTERM");
    const faults = this.log.filter(({ code, level }) => code === "internal" || level === "not JSON");
    if (code !== 0 || faults.length > 0) {
      throw new Error(`${this.process.name} ended with ${code}; ${JSON.stringify(faults)}`);
    }
  }
}

function parseLine(line: string): LogLine {
  try {
    return JSON.parse(line) as LogLine;
  } catch {
    return { level: "not JSON", msg: line };
  }
}

/** `petit server` with a folder of its own, on free loopback ports that stay the same when it is started again. */
export class ServerProcess {
  readonly folder: string;
  readonly config: string;
  sshPort = 0;
  proxyPort = 0;
  secureProxyPort = 0;
  daemon!: Daemon;
  /** What it is started by; see {@link Daemon}. */
  launcher: readonly string[] = [];
  #killed = false;
  readonly #env: Record<string, string>;
  readonly #program: string;

  private constructor(scope: Scope, env: Record<string, string>, program: string) {
    this.#program = program;
    // Stopped before its folder goes.
    scope.after(() => this.#killed ? undefined : this.daemon?.stop());
    this.folder = temporaryFolder(scope);
    this.config = join(this.folder, "config.toml");
    this.#env = { HOME: this.folder, ...env };
  }

  /**
   * `petit server init`, and what tests need set.
   *
   * @param env the daemon's and its commands', beside this process's
   * @param program the petit that these commands are given to
   */
  static async init(
    scope: Scope,
    settings: Settings = {},
    env: Record<string, string> = {},
    program = petitExecutable,
  ): Promise<ServerProcess> {
    const server = new ServerProcess(scope, env, program);
    server.sshPort = await freePort();
    server.proxyPort = await freePort();
    server.secureProxyPort = await freePort();
    await output(program, ["server", "init", "-c", server.config, "--host", "127.0.0.1"], { env: server.#env });
    configure(server.config, {
      "server.proxyHost": "127.0.0.1",
      "server.proxyPort": server.proxyPort,
      "server.secureProxyHost": "127.0.0.1",
      "server.secureProxyPort": server.secureProxyPort,
      "server.listenPort": 0,
      "server.apiPort": 0,
      "server.ssh.listenHost": "127.0.0.1",
      "server.ssh.port": server.sshPort,
      ...settings,
    });
    // By another version it would be given the layout of this one.
    if (program === petitExecutable) server.#reservePorts(firstReversePort());
    else configure(server.config, { "server.firstReversePort": firstReversePort() });
    return server;
  }

  get registryUrl(): string {
    return `sqlite:${join(this.folder, "registry.db")}`;
  }

  /**
   * Makes the registry go on from `port`: a server begins at a fixed port, and tests that run at the same time would
   * give away the same one.
   */
  #reservePorts(port: number): void {
    const registry = openRegistry(this.registryUrl);
    const { publicKey } = generateKey("nobody");
    registry.register({
      key: publicKey.line,
      fingerprint: publicKey.fingerprint,
      vitae: { brand: "nobody", version: "0" },
      preferred: null,
      joinHash: null,
      tenant: "default",
      port,
      now: Date.now(),
    });
    registry.close();
  }

  /** Starts it, and waits until it listens. */
  async start(): Promise<this> {
    this.#killed = false;
    this.daemon = new Daemon(["server", "-c", this.config], this.#env, this.launcher);
    await this.daemon.logged((line) => line["port"] === this.sshPort);
    await this.daemon.logged((line) => line["port"] === this.proxyPort);
    return this;
  }

  /** Ends it without warning, as a power cut does. */
  async kill(): Promise<void> {
    this.#killed = true;
    await this.daemon.process.stop("SIGKILL");
  }

  /** `petit server …`, which has to succeed; what it printed. */
  command(...args: string[]): Promise<string> {
    return output(petitExecutable, ["server", ...args, "-c", this.config], { env: this.#env });
  }

  /** `petit server join` */
  async joinCode(uses = 1): Promise<string> {
    const text = await output(
      this.#program,
      ["server", "join", "-c", this.config, "--json", "--uses", String(uses)],
      { env: this.#env },
    );
    return (JSON.parse(text) as { code: string }).code;
  }
}

/** `petit client` with a folder of its own. */
export class ClientProcess {
  readonly folder: string;
  readonly config: string;
  id = "";
  /** The reverse port. */
  port = 0;
  daemon!: Daemon;
  /** What it is started by; see {@link Daemon}. */
  launcher: readonly string[] = [];
  readonly #env: Record<string, string>;
  readonly #program: string;

  /**
   * @param env the daemon's and its commands', beside this process's
   * @param program the petit that registers
   */
  constructor(scope: Scope, env: Record<string, string> = {}, program = petitExecutable) {
    this.#program = program;
    scope.after(() => this.daemon?.stop());
    this.folder = temporaryFolder(scope);
    this.config = join(this.folder, "config.toml");
    this.#env = { HOME: this.folder, ...env };
  }

  get keyFile(): string {
    return join(this.folder, "key");
  }

  /** `petit client register`, however it ends. */
  tryRegister(code: string, servicePort: number): Promise<Finished> {
    const args = ["client", "register", code, "--json", "-c", this.config, "--local", `127.0.0.1:${servicePort}`];
    const [program, ...words] = [...this.launcher, this.#program, ...args] as [string, ...string[]];
    return run(program, words, { env: this.#env });
  }

  /** `petit client register`, which has to succeed. */
  async register(code: string, servicePort: number): Promise<this> {
    const { code: exit, stdout, stderr } = await this.tryRegister(code, servicePort);
    if (exit !== 0) throw new Error(`petit client register exited with ${exit}: ${stderr}`);
    this.took(stdout);
    return this;
  }

  /** Remembers what `petit client register --json` printed. */
  took(json: string): void {
    const { id, port } = JSON.parse(json) as { id: string; port: number };
    this.id = id;
    this.port = port;
  }

  /** Makes it take free ports for its own commands and REST API: daemons of other tests run at the same time. */
  takeFreePorts(): this {
    configure(this.config, { "client.listenPort": 0, "client.apiPort": 0 });
    return this;
  }

  /** Starts it, and waits for the tunnel. */
  async start(): Promise<this> {
    this.takeFreePorts();
    this.daemon = new Daemon(["client", "-c", this.config], this.#env, this.launcher);
    await this.daemon.logged((line) => line["id"] === this.id && line["endpoint"] !== undefined);
    return this;
  }
}

/** A server and a connected client as processes of their own, in front of the service on `servicePort`. */
export interface Executables {
  readonly server: ServerProcess;
  readonly client: ClientProcess;
  readonly id: string;
  readonly proxyPort: number;
  /** The reverse port. */
  readonly rawPort: number;
  /** A Host field that leads to the service. */
  readonly host: string;
}

export async function startExecutables(
  scope: Scope,
  servicePort: number,
  settings: { server?: Settings; client?: Settings } = {},
): Promise<Executables> {
  const server = await (await ServerProcess.init(scope, settings.server)).start();
  const client = await new ClientProcess(scope).register(await server.joinCode(), servicePort);
  if (settings.client !== undefined) configure(client.config, settings.client);
  await client.start();
  const { id, port: rawPort } = client;
  return { server, client, id, proxyPort: server.proxyPort, rawPort, host: `${id}.example.com` };
}
