import { isDeepStrictEqual } from "node:util";

/** Settings that a daemon takes up at its start only, by "section.key". */
const AT_START_ONLY = new Set([
  "server.proxyHost",
  "server.proxyPort",
  "server.secureProxyHost",
  "server.secureProxyPort",
  "server.certificates",
  "server.registryUrl",
  "server.legacyBackchannel",
  "server.backHost",
  "server.backPort",
  "server.accessLog",
  "server.auditUrl",
  "server.usageUrl",
  "server.usageBucket",
  "server.listenPort",
  "server.listenSocket",
  "server.strictModes",
  "server.apiPort",
  "server.logFolder",
  "server.logMaxSize",
  "server.logMaxFiles",
  "server.access.clientCa",
  "server.ssh.mode",
  "server.ssh.sshdPort",
  "server.ssh.sshdUser",
  "server.ssh.authorizedKeysFile",
  "server.ssh.sshdHostKeys",
  "server.ssh.listenHost",
  "server.ssh.port",
  "server.ssh.hostKey",
  "server.ssh.gatewayPorts",
  "server.ssh.hostKeyAlgorithms",
  "server.ssh.loginGraceTime",
  "server.ssh.clientAliveInterval",
  "server.ssh.clientAliveCountMax",
  "client.listenPort",
  "client.listenSocket",
  "client.strictModes",
  "client.apiPort",
  "client.inboundLog",
  "client.logFolder",
  "client.logMaxSize",
  "client.logMaxFiles",
]);

/** What a reload came to; settings by "section.key". */
export interface Reloaded {
  /** In force from now on. */
  readonly changed: readonly string[];
  /** Differ in the file, and take effect at the next start. */
  readonly restartNeeded: readonly string[];
}

/**
 * Makes the settings that a daemon runs with those that were read anew, except for what can be taken up at a start only.
 *
 * @param running changed in place: whoever holds it sees the new values
 * @param section "server" or "client"
 */
export function takeUp<Settings extends object>(running: Settings, read: Settings, section: string): Reloaded {
  const changed: string[] = [];
  const restartNeeded: string[] = [];
  for (const [key, value] of Object.entries(read)) {
    const name = `${section}.${key}`;
    const current = (running as Record<string, unknown>)[key];
    if (isDeepStrictEqual(current, value)) continue;
    if (isSection(current) && isSection(value)) {
      const below = takeUp(current, value, name);
      changed.push(...below.changed);
      restartNeeded.push(...below.restartNeeded);
    } else if (AT_START_ONLY.has(name)) restartNeeded.push(name);
    else {
      (running as Record<string, unknown>)[key] = value;
      changed.push(name);
    }
  }
  return { changed, restartNeeded };
}

function isSection(value: unknown): value is object {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
