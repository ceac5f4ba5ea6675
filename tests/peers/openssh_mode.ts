import type { TestContext } from "node:test";
import { ServerProcess, type Settings } from "../world/executable.ts";
import { freePort } from "../world/ports.ts";
import { type Sshd, type SshdOptions, startSshd } from "./sshd.ts";

/** A stock sshd, and a petit server whose tunnels it terminates. */
export interface OpensshMode {
  readonly sshd: Sshd;
  readonly server: ServerProcess;
  readonly backPort: number;
}

/** Programs that every test of this mode needs. */
export const NEEDS = ["sshd", "ssh-keygen"];

export async function startOpensshMode(
  t: TestContext,
  options: { sshd?: SshdOptions; server?: Settings } = {},
): Promise<OpensshMode> {
  const sshd = await startSshd(t, options.sshd);
  const server = await initServer(t, sshd, options.server);
  return { sshd, ...server, server: await server.server.start() };
}

/** The server alone, not started. */
export async function initServer(t: TestContext, sshd: Sshd, settings: Settings = {}) {
  const backPort = await freePort();
  const server = await ServerProcess.init(t, {
    "server.ssh.mode": "openssh",
    "server.ssh.sshdPort": sshd.port,
    "server.ssh.authorizedKeysFile": sshd.authorizedKeys,
    "server.ssh.sshdHostKeys": `${sshd.hostKeyFile}.pub`,
    "server.ssh.sshdConfig": sshd.configFile,
    "server.backPort": backPort,
    ...settings,
  });
  return { server, backPort };
}
