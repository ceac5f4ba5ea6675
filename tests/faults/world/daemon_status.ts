import { readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultWorld } from "./fault_world.ts";

/** A GET of the REST API of a daemon. */
export async function askDaemon<T>(folder: string, role: "server" | "client", path: string): Promise<T> {
  const { api } = JSON.parse(readFileSync(join(folder, `${role}.pid`), "utf8")) as { api: number };
  const answer = await fetch(`http://127.0.0.1:${api}${path}`, {
    headers: { authorization: `Bearer ${readFileSync(join(folder, "api-token"), "utf8").trim()}`, connection: "close" },
    signal: AbortSignal.timeout(10_000),
  });
  return await answer.json() as T;
}

/** Whether the server says that the registration is connected: what it knows, without a probe of the client. */
export async function serverSaysConnected({ server, id }: FaultWorld): Promise<boolean> {
  return (await askDaemon<{ connected: string[] }>(server.folder, "server", "/status")).connected.includes(id);
}

/** Since when the tunnel stands that the client tells of; undefined while there is none. */
export async function clientTunnelSince({ client }: FaultWorld): Promise<string | undefined> {
  interface Answer {
    status: { tunnel: { since: string } | null };
  }
  return (await askDaemon<Answer>(client.folder, "client", "/status")).status.tunnel?.since;
}

/** Polls until `check` holds; the milliseconds that took, or undefined where it took longer than `bound`. */
export async function within(bound: number, check: () => boolean | Promise<boolean>): Promise<number | undefined> {
  const begun = performance.now();
  for (;;) {
    if (await check()) return performance.now() - begun;
    if (performance.now() - begun > bound) return undefined;
    await sleep(25);
  }
}
