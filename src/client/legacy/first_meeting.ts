import type { Log } from "../../observe/log.ts";
import type { PublicKey } from "../../tunnel/keys.ts";
import { isPetit } from "../../tunnel/petit_peer.ts";
import { KnownHost } from "../known_host.ts";
import { isFormerFolder, writeLegacyServer } from "./legacy_server.ts";

/**
 * The first connection of a folder that a client of 0.6.x has left behind. That one never looked at a host key; this one takes what it is shown by the server that
 * lets its key in, once, and from then on no other.
 */
export class FirstMeeting {
  readonly #folder: string;
  readonly #host: string;
  readonly #port: number;
  #seen: { readonly key: PublicKey; readonly petit: boolean } | undefined;

  constructor(folder: string, host: string, port: number) {
    this.#folder = folder;
    this.#host = host;
    this.#port = port;
  }

  /** Whether any key will do; the caller has to compare it otherwise. */
  take(key: PublicKey, greeting: string): boolean {
    if (!isFormerFolder(this.#folder)) return false;
    this.#seen = { key, petit: isPetit(greeting) };
    return true;
  }

  /** Pins the key, now that the login has come about. @throws PetitError `state-unwritable` */
  keep(log: Pick<Log, "warn">): void {
    // Another attempt may have been quicker.
    if (this.#seen === undefined || !isFormerFolder(this.#folder)) return;
    const { key, petit } = this.#seen;
    const host = this.#host;
    writeLegacyServer(this.#folder, { host, plain: !petit });
    new KnownHost(this.#folder).add(host, this.#port, key);
    const server = `${host}:${this.#port}`;
    log.warn(
      { code: "host-key-trusted", server, fingerprint: key.fingerprint },
      `This folder is one of petit 0.6, which knew no host key: that of ${server}, ${key.fingerprint}, was taken on trust, and no other will be accepted from now on`,
    );
  }
}
