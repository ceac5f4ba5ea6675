import { PING_AFTER } from "../tunnel/lights.ts";
import type { Tunnel } from "./tunnel.ts";

/** Milliseconds between two looks. */
const TICK = 10_000;

/**
 * Asks the server for a sign of life when nothing has come back through the tunnel for a while, until `signal` is aborted: what comes by itself
 * shows one direction only, and keeps the keep-alive from asking.
 */
export function askTunnel(tunnel: () => Tunnel | undefined, signal: AbortSignal): void {
  const timer = setInterval(() => {
    const link = tunnel()?.link;
    if (link === undefined || !link.wire.writable) return;
    if (performance.now() - Math.max(link.answered, link.pinged) > PING_AFTER) link.ping();
  }, TICK).unref();
  signal.addEventListener("abort", () => clearInterval(timer), { once: true });
}
