import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { answers, freePorts } from "./free_ports.ts";
import { Daemon, must } from "./processes.ts";

/** A `petit server` with a folder of its own, everything on loopback. */
export class PetitServer {
  readonly proxyPort: number;
  readonly sshPort: number;
  readonly #executable: string;
  readonly #folder: string;
  #daemon: Daemon | undefined;

  private constructor(executable: string, folder: string, proxyPort: number, sshPort: number) {
    this.#executable = executable;
    this.#folder = folder;
    this.proxyPort = proxyPort;
    this.sshPort = sshPort;
  }

  /** @param settings texts of `[server]` that differ from what `init` writes */
  static async init(
    executable: string,
    folder: string,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<PetitServer> {
    const file = join(folder, "config.toml");
    await must([executable, "server", "init", "-c", file, "--host", "127.0.0.1"]);
    let text = await onLoopback(readFileSync(file, "utf8"), /[pP]ort$/);
    for (const [key, value] of Object.entries(settings)) {
      const changed = text.replace(new RegExp(`^${key} = .*$`, "m"), `${key} = ${JSON.stringify(value)}`);
      if (changed === text) throw new Error(`The config has no setting ${key}`);
      text = changed;
    }
    writeFileSync(file, text);
    const portOf = (name: string) => Number(new RegExp(`^${name} = (\\d+)$`, "m").exec(text)?.[1]);
    // The only setting of a server that is called "port" is that of [server.ssh].
    return new PetitServer(executable, folder, portOf("proxyPort"), portOf("port"));
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
  const file = join(folder, "config.toml");
  const command = [executable, "client", "register", joinCode, "--json", "-c", file];
  const answer = await must([...command, "--local", `127.0.0.1:${servicePort}`]);
  const { id, port } = JSON.parse(answer) as { id: string; port: number };
  // Its bare "port" settings are those of the server and of the service; a prefix marks one that it listens on.
  writeFileSync(file, await onLoopback(readFileSync(file, "utf8"), /\wPort$/));
  return { id, rawPort: port, daemon: restartPetitClient(executable, folder) };
}

/** Starts a client that is registered. */
export function restartPetitClient(executable: string, folder: string): Daemon {
  return new Daemon([executable, "client", "-c", join(folder, "config.toml")], join(folder, "client.log"));
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
