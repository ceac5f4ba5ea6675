import { inodeOfPeer, ownersOf } from "../../platform/socket_owner.ts";
import type { ProvenClient } from "./proven_client.ts";

/** The backchannels of clients that have proven their keys, by their keys' fingerprints. */
export class ProvenClients {
  readonly #byKey = new Map<string, ProvenClient[]>();

  /** It has introduced itself as that of a tunnel. */
  add(client: ProvenClient): void {
    const others = this.#byKey.get(client.fingerprint) ?? [];
    this.#byKey.set(client.fingerprint, [...others.filter((other) => other !== client), client]);
  }

  remove(client: ProvenClient): void {
    const left = (this.#byKey.get(client.fingerprint) ?? []).filter((other) => other !== client);
    if (left.length > 0) this.#byKey.set(client.fingerprint, left);
    else this.#byKey.delete(client.fingerprint);
  }

  /** Those of a key, the newest last. */
  ofKey(fingerprint: string): readonly ProvenClient[] {
    return this.#byKey.get(fingerprint) ?? [];
  }

  /** The newest of a key. */
  newest(fingerprint: string): ProvenClient | undefined {
    return this.#byKey.get(fingerprint)?.at(-1);
  }

  get all(): ProvenClient[] {
    return [...this.#byKey.values()].flat();
  }
}

/** The process of sshd through which a backchannel comes; undefined where the system does not tell. */
export function processOf(client: ProvenClient, backPort: number): number | undefined {
  const inode = inodeOfPeer(backPort, client.remotePort);
  return inode === undefined ? undefined : ownersOf(inode)[0]?.pid;
}
