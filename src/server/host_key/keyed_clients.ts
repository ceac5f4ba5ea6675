import { isOldClient } from "../legacy/old_clients.ts";
import type { Routes } from "../routes.ts";
import type { Tunnels } from "../tunnels.ts";

/** A client as its key shows it. */
export interface KeyedClient {
  /** Of its key. */
  readonly fingerprint: string;
  /** Its registrations. */
  readonly ids: readonly string[];
  readonly connected: boolean;
}

/** All clients that are registered, but for those of 0.6.x, which look at no host key. */
export function keyedClients(routes: Routes, tunnels: Tunnels): KeyedClient[] {
  const clients = new Map<string, { fingerprint: string; ids: string[]; connected: boolean }>();
  for (const registration of routes.all) {
    if (isOldClient(registration)) continue;
    const { id, fingerprint } = registration;
    let client = clients.get(fingerprint);
    if (client === undefined) clients.set(fingerprint, client = { fingerprint, ids: [], connected: false });
    client.ids.push(id);
    client.connected ||= tunnels.of(id) !== undefined;
  }
  return [...clients.values()];
}
