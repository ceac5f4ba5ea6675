import { messageOf, type PetitError } from "../error.ts";
import type { Log } from "../observe/log.ts";
import type { OnceAMinute } from "../observe/once_a_minute.ts";
import { isProvable } from "../tunnel/host_keys.ts";
import type { PublicKey } from "../tunnel/keys.ts";
import type { SshClientConnection } from "../tunnel/ssh_client.ts";
import type { KnownHost } from "./known_host.ts";

export interface KeepHostKeysOptions {
  /** As it was connected to. */
  readonly host: string;
  readonly port: number;
  readonly known: KnownHost;
  readonly log: Log;
  readonly noise: OnceAMinute;
  /** Called when another key has been pinned. */
  onPinned(): void;
}

/**
 * Pins the keys that a server vouches for by the one that is pinned, and drops those that it does not have any more, as OpenSSH does with
 * UpdateHostKeys: so that the operator can replace the server's key. What makes no sense, or is not proven, changes nothing.
 */
export function keepHostKeys(connection: SshClientConnection, options: KeepHostKeysOptions): void {
  const { known, host, port, log, noise, onPinned } = options;
  const { hostKey, hostKeys } = connection;
  /** What was announced while an announcement before was being worked at; of several the last one counts. */
  let latest: readonly PublicKey[] | undefined;
  let working = false;

  const follow = async (offered: readonly PublicKey[]): Promise<void> => {
    const pinned = known.of(host, port);
    if (!pinned.includes(hostKey.fingerprint)) return;
    const unknown = offered.filter((key) => isProvable(key) && !pinned.includes(key.fingerprint));
    if (unknown.length > 0 && !await hostKeys.prove(unknown)) {
      noise.tell("host-key-unproven", (repeated) =>
        log.warn(
          { code: "host-key-unproven", hostKeys: unknown.map(({ fingerprint }) => fingerprint), repeated },
          "The server names host keys that it does not prove to have; what is pinned stays as it is",
        ));
      return;
    }
    const { added, removed } = known.follow(host, port, hostKey, unknown, offered);
    for (const { fingerprint } of added) {
      log.info(
        { hostKey: fingerprint },
        `The server has another host key, which its known one vouches for: pinned too`,
      );
    }
    for (const fingerprint of removed) {
      log.info({ hostKey: fingerprint }, "The server does not have a host key any more that was pinned: forgotten");
    }
    if (added.length > 0) onPinned();
  };

  const work = async (): Promise<void> => {
    working = true;
    for (let offered = latest; offered !== undefined; offered = latest) {
      latest = undefined;
      try {
        await follow(offered);
      } catch (error) {
        log.warn({ code: (error as PetitError).code }, `The server's host keys could not be kept: ${messageOf(error)}`);
      }
    }
    working = false;
  };

  hostKeys.onAnnounced = (offered) => {
    // A server that does not name the key by which it is known has no word in this.
    if (!offered?.some(({ line }) => line === hostKey.line)) return;
    latest = offered;
    if (!working) void work();
  };
}
