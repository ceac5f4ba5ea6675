import { existsSync } from "node:fs";
import { join } from "node:path";
import type { ClientConfig } from "../config/schema.ts";
import { PetitError } from "../error.ts";
import { openBackchannel } from "./backchannel.ts";
import type { BackchannelEnd } from "./backchannel_end.ts";
import { connectWithKey } from "./connect.ts";
import { inTime } from "./in_time.ts";

/** Asks the server for a sign of life again and again, on a login of its own: a tunnel that stands is left alone. */
export class Pinger {
  readonly #config: ClientConfig;
  readonly #folder: string;
  readonly #signal: AbortSignal;
  #backchannel: BackchannelEnd | undefined;
  #end = () => {};

  /** @param folder the folder with the client's key */
  constructor(config: ClientConfig, folder: string, signal: AbortSignal) {
    this.#config = config;
    this.#folder = folder;
    this.#signal = signal;
  }

  /**
   * Logs in, if that has not been done or was lost.
   * @throws PetitError as `connectWithKey`; `not-registered`, `backchannel-refused`, `server-silent`
   */
  async connect(): Promise<void> {
    if (this.#backchannel !== undefined) return;
    // It would be made otherwise, and the server could not know it.
    if (!existsSync(join(this.#folder, "key"))) {
      throw new PetitError("not-registered", "This client has no key yet: it is not registered", {
        hint: 'Ask the server\'s operator for a join code and run "petit client register"',
      });
    }
    const connection = await connectWithKey(this.#config, this.#folder, { signal: this.#signal });
    this.#end = () => connection.end();
    const parts = { config: this.#config, folder: this.#folder, holds: false };
    this.#backchannel = await inTime(openBackchannel(connection, parts), this.#config.connectTimeout);
  }

  /**
   * One ping. After one that failed the next one logs in again.
   *
   * @param timeout milliseconds
   * @returns milliseconds from question to answer
   * @throws PetitError as `connect`; `server-silent`, `backchannel-lost`
   */
  async ping(timeout: number): Promise<number> {
    await this.connect();
    const begun = performance.now();
    try {
      await inTime((this.#backchannel as BackchannelEnd).ask({ type: "ping1" }, "didPing1"), timeout);
      return performance.now() - begun;
    } catch (error) {
      this.close();
      throw error;
    }
  }

  close(): void {
    this.#backchannel?.close();
    this.#end();
    this.#end = () => {};
    this.#backchannel = undefined;
  }
}
