import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { register } from "../../../src/client/register.ts";
import { startClient } from "../../../src/client/start_client.ts";
import { parseConfig } from "../../../src/config/load.ts";
import type { ClientConfig } from "../../../src/config/schema.ts";
import { silentLog } from "../../../src/observe/log.ts";
import { DEFAULT_TENANT } from "../../../src/tenant_name.ts";
import type { JoinCode } from "../../../src/tunnel/join_code.ts";
import type { Registered } from "../../../src/tunnel/messages.ts";

/** A client of this process, with a key and a folder of its own: a process for each of hundreds would spend the time on starting. */
export class ManyClient {
  readonly folder: string;
  registered: Registered | undefined;

  /** @param parent the folder that its own one is made in */
  constructor(parent: string, name: string) {
    this.folder = join(parent, name);
    mkdirSync(this.folder, { recursive: true });
  }

  /** Registers through a port of 127.0.0.1; undefined where that fails. */
  async register(code: JoinCode, port: number, timeout: number): Promise<Registered | undefined> {
    try {
      this.registered = await register({
        config: this.#config(port, 1),
        folder: this.folder,
        tenant: DEFAULT_TENANT,
        joinCode: { ...code, port },
        signal: AbortSignal.timeout(timeout),
      });
      return this.registered;
    } catch {
      return undefined;
    }
  }

  /** Makes the host key that it believes be that of a port of 127.0.0.1 too. */
  leadThrough(port: number): this {
    const file = join(this.folder, "known_hosts");
    writeFileSync(file, readFileSync(file, "utf8").replace(/]:\d+ /, `]:${port} `));
    return this;
  }

  /** Keeps a tunnel until `signal` is aborted; settles when it has stopped. */
  run(port: number, servicePort: number, signal: AbortSignal): { connected: Promise<unknown>; closed: Promise<void> } {
    return startClient(this.#config(port, servicePort), this.folder, silentLog(), signal);
  }

  #config(port: number, servicePort: number): ClientConfig {
    const text = `[client]\nhost = "127.0.0.1"\nport = ${port}\ndrainFor = "0s"\nlogFolder = ""\n` +
      `[client.local]\nhost = "127.0.0.1"\nport = ${servicePort}\n`;
    return parseConfig(text, join(this.folder, "config.toml")).client;
  }
}
