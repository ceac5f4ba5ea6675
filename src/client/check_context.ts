import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { loadConfig, type LoadedConfig } from "../config/load.ts";
import type { ClientConfig } from "../config/schema.ts";
import { PetitError } from "../error.ts";
import type { PublicKey } from "../tunnel/keys.ts";
import { HANDSHAKE_VERSION, type ServerMessage } from "../tunnel/messages.ts";
import type { SshClientConnection } from "../tunnel/ssh_client.ts";
import { openBackchannel } from "./backchannel.ts";
import { connectWithKey } from "./connect.ts";
import { inTime } from "./in_time.ts";
import { readTenants, type Tenant } from "./tenants.ts";
import { clientVitae } from "./vitae.ts";

/** What the server knows of a key. */
type Shakehand = ServerMessage & { type: "shakehand1" };

/** What came of the one connection that several checks look at. */
export interface Attempt {
  readonly connection?: SshClientConnection;
  /** What the server showed before anything went wrong. */
  readonly hostKey?: PublicKey;
  readonly error?: PetitError;
}

/** What the checks of one run share: read or done once, when the first of them asks. */
export class CheckContext {
  readonly file: string;
  readonly folder: string;
  readonly #only: string | undefined;
  readonly #signal: AbortSignal;
  #loaded: LoadedConfig | undefined;
  #tenants: readonly Tenant[] | undefined;
  #attempt: Promise<Attempt> | undefined;
  #handshake: Promise<Shakehand> | undefined;
  /** Whether the server is one of 0.6.x; false before `handshake` has settled. */
  legacy = false;

  constructor(file: string, only: string | undefined, signal: AbortSignal) {
    this.file = resolve(file);
    this.folder = dirname(this.file);
    this.#only = only;
    this.#signal = signal;
  }

  /** @throws PetitError as `loadConfig` */
  get config(): ClientConfig {
    this.#loaded ??= loadConfig(this.file);
    return this.#loaded.config.client;
  }

  /** The gateway, as "host:port". */
  get where(): string {
    return `${this.config.host}:${this.config.port}`;
  }

  /** All tenants, or the one that was asked for. @throws PetitError as `readTenants`; `tenant-unknown` */
  get tenants(): readonly Tenant[] {
    if (this.#tenants !== undefined) return this.#tenants;
    const all = readTenants(this.folder, this.config.local);
    const found = this.#only === undefined ? all : all.filter(({ name }) => name === this.#only);
    if (this.#only !== undefined && found.length === 0) {
      throw new PetitError("tenant-unknown", `There is no tenant "${this.#only}"`, {
        hint: '"petit client tenants" lists them',
        exitCode: 2,
      });
    }
    return this.#tenants = found;
  }

  /** Connects and logs in. Never rejects. */
  attempt(): Promise<Attempt> {
    return this.#attempt ??= this.#connect();
  }

  async #connect(): Promise<Attempt> {
    let hostKey: PublicKey | undefined;
    try {
      // It would be made otherwise, and a check changes nothing.
      if (!existsSync(join(this.folder, "key"))) throw new PetitError("key-missing", "There is no key");
      const connection = await connectWithKey(this.config, this.folder, {
        signal: this.#signal,
        onHostKey: (key) => hostKey = key,
        looksOnly: true,
      });
      return { connection, ...(hostKey === undefined ? {} : { hostKey }) };
    } catch (error) {
      const known = error instanceof PetitError ? error : new PetitError("internal", String(error), { cause: error });
      return { error: known, ...(hostKey === undefined ? {} : { hostKey }) };
    }
  }

  /** What the server knows of this client's key. @throws PetitError */
  handshake(): Promise<Shakehand> {
    return this.#handshake ??= this.attempt().then(({ connection, error }) => {
      if (connection === undefined) throw error;
      return inTime(this.#shake(connection), this.config.connectTimeout);
    });
  }

  async #shake(connection: SshClientConnection): Promise<Shakehand> {
    const backchannel = await openBackchannel(connection, { config: this.config, folder: this.folder, holds: false });
    this.legacy = backchannel.legacy;
    const vitae = clientVitae(this.config);
    return await backchannel.ask({ type: "handshake1", handshakeVersion: HANDSHAKE_VERSION, vitae }, "shakehand1");
  }

  close(): void {
    void this.#attempt?.then(({ connection }) => connection?.end());
  }
}
