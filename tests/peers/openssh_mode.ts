import type { TestContext } from "node:test";
import { configure, ServerProcess, type Settings } from "../world/executable.ts";
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

export interface OpensshModeOptions {
  readonly sshd?: SshdOptions;
  readonly server?: Settings;
}

/** Both running. */
export async function startOpensshMode(t: TestContext, options: OpensshModeOptions = {}): Promise<OpensshMode> {
  const mode = await initOpensshMode(t, options);
  await mode.server.start();
  return mode;
}

/** The sshd running, and the server not yet. */
export async function initOpensshMode(t: TestContext, options: OpensshModeOptions = {}): Promise<OpensshMode> {
  // The server comes first: it is stopped before the file of keys goes.
  const backPort = await freePort();
  const server = await ServerProcess.init(t, { "server.ssh.mode": "openssh", "server.backPort": backPort });
  const sshd = await startSshd(t, options.sshd);
  configure(server.config, {
    "server.ssh.sshdPort": sshd.port,
    "server.ssh.authorizedKeysFile": sshd.authorizedKeys,
    "server.ssh.sshdHostKeys": `${sshd.hostKeyFile}.pub`,
    "server.ssh.sshdConfig": sshd.configFile,
    ...options.server,
  });
  return { sshd, server, backPort };
}
