import type { ServerConfig } from "../../config/schema.ts";
import { messageOf, PetitError } from "../../error.ts";
import type { Log } from "../../observe/log.ts";
import type { OnceAMinute } from "../../observe/once_a_minute.ts";
import type { Disconnects } from "../disconnects.ts";
import type { Routes } from "../routes.ts";
import type { Tunnels } from "../tunnels.ts";
import { KeptKeys } from "./kept_keys.ts";
import { type SshdAccount, sshdAccount } from "./sshd_account.ts";
import { readSshdHostKeys } from "./sshd_host_keys.ts";
import { SshdTunnels } from "./sshd_tunnels.ts";

export interface OpensshModeParts {
  readonly config: ServerConfig;
  readonly routes: Routes;
  readonly tunnels: Tunnels;
  readonly disconnects: Disconnects;
  readonly log: Log;
  readonly noise: OnceAMinute;
}

/** All that is different where the system's sshd terminates the tunnels, and not this server's gateway. */
export class OpensshMode {
  readonly #parts: OpensshModeParts;
  readonly #account: SshdAccount;
  readonly #keys: KeptKeys;
  readonly #tunnels: SshdTunnels;

  /** @throws PetitError `sshd-user-unknown`, `sshd-host-keys-unreadable` */
  constructor(parts: OpensshModeParts) {
    this.#parts = parts;
    const { config } = parts;
    this.#account = sshdAccount(config.ssh);
    // Without them nobody could register.
    readSshdHostKeys(config.ssh.sshdHostKeys);
    this.#keys = new KeptKeys({ ...parts, account: this.#account });
    this.#tunnels = new SshdTunnels({ ...parts, uid: this.#account.uid, session: () => undefined, end: () => {} });
  }

  /** @throws PetitError `authorized-keys-unusable`, `sockets-unreadable` */
  start(): void {
    const { log, config: { ssh } } = this.#parts;
    this.#keys.start();
    try {
      this.#tunnels.start();
    } catch (error) {
      throw new PetitError("sockets-unreadable", `Cannot find out what sshd listens on: ${messageOf(error)}`, {
        hint: '[server.ssh] mode = "openssh" needs Linux, with /proc',
        cause: error,
      });
    }
    log.info(
      { sshdPort: ssh.sshdPort, user: this.#account.name, file: this.#account.authorizedKeys },
      `Clients log in to sshd on port ${ssh.sshdPort} as ${this.#account.name}`,
    );
  }

  /** Registrations may have changed. */
  follow(): void {
    this.#keys.follow();
    this.#tunnels.lookNow();
  }

  stop(): void {
    this.#keys.stop();
    this.#tunnels.stop();
  }
}
