import process from "node:process";
import { decodeJoinCode, encodeJoinCode } from "../../../src/tunnel/join_code.ts";
import { ClientProcess, configure, ServerProcess, type Settings } from "../../world/executable.ts";
import { Background } from "../../world/processes.ts";
import { type Scope, startService } from "../../world/world.ts";
import { Caller, PATIENCE, type Reach } from "./caller.ts";
import { type Change, FaultRelay } from "./fault_relay.ts";
import { serveVerifiably } from "./verifying_service.ts";

export interface FaultWorldOptions {
  readonly server?: Settings;
  readonly client?: Settings;
  /** Environment of the daemons. */
  readonly serverEnv?: Record<string, string>;
  readonly clientEnv?: Record<string, string>;
  /** A port on 127.0.0.1 with a service; one of this process by default. */
  readonly servicePort?: number;
  readonly random?: () => number;
  /** What the relay does from the start; nothing by default. */
  readonly faults?: Change;
}

/** Server and client as processes of their own, a relay between them, and a verifying service behind the client. */
export interface FaultWorld extends Reach {
  readonly server: ServerProcess;
  readonly client: ClientProcess;
  /** Between client and gateway. */
  readonly relay: FaultRelay;
  readonly id: string;
  /** A caller; `patience` in milliseconds. */
  caller(patience?: number): Caller;
}

/** Builds a world; the client has registered through the relay, and its tunnel stands. */
export async function makeFaultWorld(scope: Scope, options: FaultWorldOptions = {}): Promise<FaultWorld> {
  const servicePort = options.servicePort ?? (await startService(scope, serveVerifiably)).port;
  const server = await (await ServerProcess.init(scope, options.server, options.serverEnv)).start();
  const relay = await FaultRelay.to(scope, server.sshPort, options.faults, options.random);
  const client = new ClientProcess(scope, options.clientEnv);
  await client.register(codeThrough(await server.joinCode(), relay.port), servicePort);
  if (options.client !== undefined) configure(client.config, options.client);
  await client.start();
  for (const { daemon } of [server, client]) {
    await daemon.logged(({ msg }) => msg.startsWith("The REST API listens"));
  }
  const { id, port: rawPort } = client;
  const reach = { proxyPort: server.proxyPort, rawPort, host: `${id}.example.com` };
  const caller = (patience = PATIENCE) => new Caller(reach, patience);
  return { ...reach, server, client, relay, id, caller };
}

/** A join code that leads to the server through a port of one's own. */
export function codeThrough(code: string, port: number): string {
  return encodeJoinCode({ ...decodeJoinCode(code), port });
}

/** A verifying service as a process of its own; `port` on 127.0.0.1, a free one by default. */
export async function startServiceProcess(scope: Scope, port = 0): Promise<{ port: number; process: Background }> {
  const script = new URL("./service_process.ts", import.meta.url).pathname;
  const started = new Background(process.execPath, [script, String(port)]);
  scope.after(() => started.stop("SIGKILL"));
  const line = await started.line((text) => text.startsWith("port "));
  return { port: Number(line.slice(5)), process: started };
}
