import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answers, freePorts } from "./free_ports.ts";
import { Daemon, must } from "./processes.ts";

/** Values by the names of settings. */
type Settings = Readonly<Record<string, string | number | boolean>>;

/** A `petit server` with a folder of its own, everything on loopback. */
export class PetitServer {
  readonly proxyPort: number;
  readonly sshPort: number;
  /** Of the backchannel of 0.6.x; closed unless `legacyBackchannel` is set. */
  readonly backPort: number;
  readonly #executable: string;
  readonly #folder: string;
  #daemon: Daemon | undefined;

  private constructor(executable: string, folder: string, portOf: (name: string) => number) {
    this.#executable = executable;
    this.#folder = folder;
    this.proxyPort = portOf("proxyPort");
    // The only setting of a server that is called "port" is that of [server.ssh].
    this.sshPort = portOf("port");
    this.backPort = portOf("backPort");
  }

  /** @param settings of `[server]` that differ from what `init` writes */
  static async init(
    executable: string,
    folder: string,
    settings: Settings = {},
  ): Promise<PetitServer> {
    const file = join(folder, "config.toml");
    await must([executable, "server", "init", "-c", file, "--host", "127.0.0.1"]);
    const text = withSettings(await onLoopback(readFileSync(file, "utf8"), /[pP]ort$/), settings);
    writeFileSync(file, text);
    const portOf = (name: string) => Number(new RegExp(`^${name} = (\\d+)$`, "m").exec(text)?.[1]);
    return new PetitServer(executable, folder, portOf);
  }

  async start(): Promise<void> {
    const command = [this.#executable, "server", "-c", join(this.#folder, "config.toml")];
    this.#daemon = new Daemon(command, join(this.#folder, "server.log"));
    await this.#daemon.until("petit server listens", () => answers(this.proxyPort));
  }

  async stop(): Promise<void> {
    await this.#daemon?.stop();
  }

  get pids(): number[] {
    return this.#daemon?.pids ?? [];
  }

  async joinCode(uses: number): Promise<string> {
    const config = join(this.#folder, "config.toml");
    const command = [this.#executable, "server", "join", "--json", "--uses", String(uses), "-c", config];
    return (JSON.parse(await must(command)) as { code: string }).code;
  }
}

/** A `petit client` for the service. */
export interface PetitClient {
  readonly id: string;
  /** The reverse port. */
  readonly rawPort: number;
  readonly daemon: Daemon;
}

/** Registers and starts it; it's connected a moment later. */
export async function startPetitClient(
  executable: string,
  folder: string,
  joinCode: string,
  servicePort: number,
): Promise<PetitClient> {
  return await register(executable, folder, [joinCode, "--local", `127.0.0.1:${servicePort}`]);
}

/** Where a server of 0.6.x is, on 127.0.0.1. */
export interface FormerPlace {
  readonly sshPort: number;
  readonly backPort: number;
  readonly username: string;
  /** Of its sshd's host key: such servers have no join codes, which would tell it. */
  readonly fingerprint: string;
}

/** The same with a server of 0.6.x. */
export async function startPetitClientAtFormer(
  executable: string,
  folder: string,
  { sshPort, backPort, username, fingerprint }: FormerPlace,
  servicePort: number,
): Promise<PetitClient> {
  const file = join(folder, "config.toml");
  const places = ["--server", `127.0.0.1:${sshPort}`, "--local", `127.0.0.1:${servicePort}`];
  await must([executable, "client", "init", "-c", file, ...places]);
  writeFileSync(file, withSettings(readFileSync(file, "utf8"), { backPort, username }));
  return await register(executable, folder, ["--host-key", fingerprint]);
}

async function register(executable: string, folder: string, args: readonly string[]): Promise<PetitClient> {
  const file = join(folder, "config.toml");
  const answer = await must([executable, "client", "register", "--json", "-c", file, ...args]);
  const { id, port } = JSON.parse(answer) as { id: string; port: number };
  // Its other ports are those of the server and of the service.
  writeFileSync(file, await onLoopback(readFileSync(file, "utf8"), /^(?:listen|api)Port$/));
  return { id, rawPort: port, daemon: restartPetitClient(executable, folder) };
}

/** Starts a client that is registered. */
export function restartPetitClient(executable: string, folder: string): Daemon {
  return new Daemon([executable, "client", "-c", join(folder, "config.toml")], join(folder, "client.log"));
}

/** A config with other values of settings that it has, each name in one section only. */
function withSettings(text: string, settings: Settings): string {
  return Object.entries(settings).reduce((text, [key, value]) => {
    const line = new RegExp(`^${key} = .*$`, "m");
    if (!line.test(text)) throw new Error(`The config has no setting ${key}`);
    return text.replace(line, `${key} = ${JSON.stringify(value)}`);
  }, text);
}

/** A config in which each port to listen on is a free one, and every address is the loopback address. */
async function onLoopback(text: string, portSetting: RegExp): Promise<string> {
  const lines = text.split("\n");
  const ports = await freePorts(lines.length);
  return lines.map((line) => {
    const [, name = "", value = ""] = /^(\w+) = (.*)$/.exec(line) ?? [];
    if (/^\d+$/.test(value) && portSetting.test(name)) return `${name} = ${ports.pop()}`;
    return /[hH]ost$/.test(name) && value === '"*"' ? `${name} = "127.0.0.1"` : line;
  }).join("\n");
}
