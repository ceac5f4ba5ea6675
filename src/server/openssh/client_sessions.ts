import { inodeOfPeer, ownersOf } from "../../platform/socket_owner.ts";
import type { ClientSession } from "./client_session.ts";

/** The backchannels of clients that have proven their keys, by their keys' fingerprints. */
export class ClientSessions {
  readonly #byKey = new Map<string, ClientSession[]>();

  /** It has introduced itself as that of a tunnel. */
  add(session: ClientSession): void {
    const others = this.#byKey.get(session.fingerprint) ?? [];
    this.#byKey.set(session.fingerprint, [...others.filter((other) => other !== session), session]);
  }

  remove(session: ClientSession): void {
    const left = (this.#byKey.get(session.fingerprint) ?? []).filter((other) => other !== session);
    if (left.length > 0) this.#byKey.set(session.fingerprint, left);
    else this.#byKey.delete(session.fingerprint);
  }

  /** Those of a key, the newest last. */
  ofKey(fingerprint: string): readonly ClientSession[] {
    return this.#byKey.get(fingerprint) ?? [];
  }

  /** The newest of a key. */
  newest(fingerprint: string): ClientSession | undefined {
    return this.#byKey.get(fingerprint)?.at(-1);
  }

  get all(): ClientSession[] {
    return [...this.#byKey.values()].flat();
  }
}

/** The process of sshd through which a backchannel comes; undefined where the system does not tell. */
export function processOf(session: ClientSession, backPort: number): number | undefined {
  const inode = inodeOfPeer(backPort, session.remotePort);
  return inode === undefined ? undefined : ownersOf(inode)[0]?.pid;
}
