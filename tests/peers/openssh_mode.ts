import type { Socket } from "node:net";
import type { TestContext } from "node:test";
import { configure, ServerProcess, type Settings } from "../world/executable.ts";
import { freePort } from "../world/ports.ts";
import { startService, TestClient, TestServer } from "../world/world.ts";
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

/** Server and client in this process, a stock sshd between them, and a service that handles its connections with `onConnection`. */
export interface SshdWorld {
  readonly sshd: Sshd;
  readonly server: TestServer;
  readonly client: TestClient;
  readonly service: Awaited<ReturnType<typeof startService>>;
  readonly id: string;
  readonly proxyPort: number;
  /** The reverse port, where sshd listens. */
  readonly rawPort: number;
  /** A Host field that leads to the service. */
  readonly host: string;
}

/** All of it connected, unless `start` says otherwise. */
export async function makeSshdWorld(
  t: TestContext,
  onConnection: (socket: Socket) => void,
  options: { sshd?: SshdOptions; server?: string; ssh?: string; client?: string; probe?: string; start?: boolean } = {},
): Promise<SshdWorld> {
  const service = await startService(t, onConnection);
  const { sshd, server } = await startSshdServer(t, options);
  const client = await new TestClient(t, server, service.port, options.client, options.probe).register(
    server.joinCode(),
  );
  const { registeredId: id, registeredPort: rawPort } = client.registered;
  if (options.start !== false) await client.start();
  return { sshd, server, client, service, id, proxyPort: server.running.proxyPort, rawPort, host: `${id}.example.com` };
}

/** Server and sshd alone. */
export async function startSshdServer(
  t: TestContext,
  options: { sshd?: SshdOptions; server?: string; ssh?: string } = {},
): Promise<{ sshd: Sshd; server: TestServer }> {
  const servers: TestServer[] = [];
  // Before the file of keys goes.
  t.after(() => Promise.all(servers.map((server) => server.stop())));
  const sshd = await startSshd(t, options.sshd);
  const settings = {
    mode: "openssh",
    sshdPort: sshd.port,
    authorizedKeysFile: sshd.authorizedKeys,
    sshdHostKeys: `${sshd.hostKeyFile}.pub`,
    sshdConfig: sshd.configFile,
  };
  const lines = Object.entries(settings).map(([key, value]) => `${key} = ${JSON.stringify(value)}`);
  const backPort = `backPort = ${await freePort()}\n`;
  const server = new TestServer(t, `${backPort}${options.server ?? ""}`, `${lines.join("\n")}\n${options.ssh ?? ""}`);
  servers.push(server);
  return { sshd, server: await server.start() };
}
