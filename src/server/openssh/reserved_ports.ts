import type { ServerConfig } from "../../config/schema.ts";

/** Ports on which no registration's tunnel can be. */
export interface ReservedPorts {
  has(port: number): boolean;
}

/** Below it, only root can listen: sshd does not for its clients. */
const FIRST_UNPRIVILEGED = 1024;

/**
 * Those that are sshd's and petit's own, or the system's: what a server of 0.6.x gave away, or an import brought, is any port. What listens there is
 * no client's tunnel, and is neither to be reached by callers nor to be ended.
 */
export function reservedPorts(config: ServerConfig): ReservedPorts {
  const { ssh, proxyPort, secureProxyPort, backPort, listenPort, apiPort } = config;
  const own = new Set([ssh.sshdPort, ssh.port, proxyPort, secureProxyPort, backPort, listenPort, apiPort]);
  return { has: (port) => port < FIRST_UNPRIVILEGED || own.has(port) };
}
