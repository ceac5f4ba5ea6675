import { mkdtempSync, rmSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { register } from "../client/register.ts";
import { startClient } from "../client/start_client.ts";
import { parseConfig } from "../config/load.ts";
import { configTemplate } from "../config/template.ts";
import { PetitError } from "../error.ts";
import { silentLog } from "../observe/log.ts";
import { makeStateFolder } from "../platform/state_file.ts";
import { stopSignal } from "../platform/stop_signal.ts";
import { openRegistry } from "../registry/open_registry.ts";
import { makeHostKey } from "../server/host_key/host_key.ts";
import { startServer } from "../server/start_server.ts";
import { DEFAULT_TENANT } from "../tenant_name.ts";
import { hashJoinSecret, newJoinSecret } from "../tunnel/join_code.ts";
import type { Invocation } from "./commands/command.ts";
import { startSampleService } from "./sample_service.ts";
import { type Steps, terminalSteps } from "./terminal/steps.ts";

const HOST = "127.0.0.1";

/** Runs everything on this machine and shows that it works. */
export async function demo({ values }: Invocation): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "petit-demo-"));
  const asked = stopSignal();
  const stop = new AbortController();
  asked.addEventListener("abort", () => stop.abort(asked.reason));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  try {
    return await show(folder, values["once"] === true, stop, terminalSteps());
  } finally {
    stop.abort();
    rmSync(folder, { recursive: true, force: true });
  }
}

async function show(folder: string, once: boolean, stop: AbortController, steps: Steps): Promise<number> {
  const { signal } = stop;
  const log = silentLog();
  const service = await steps.step("Sample service", async () => {
    const port = await startSampleService(HOST, signal);
    return { result: port, told: `http://${HOST}:${port}, reachable from this machine only` };
  });
  const server = await steps.step("Server", async () => {
    const settings = {
      "server.proxyHost": HOST,
      "server.proxyPort": 0,
      "server.ssh.listenHost": HOST,
      "server.ssh.port": 0,
      // Away from the ports that a real server on this machine gives to its clients.
      "server.firstReversePort": 20_000 + Math.floor(Math.random() * 10_000),
    };
    makeStateFolder(join(folder, "server"));
    const config = parseConfig(configTemplate("server", settings), join(folder, "server", "config.toml")).server;
    const hostKey = makeHostKey(config.ssh.hostKey);
    const running = await startServer(config, log, signal);
    return {
      result: { ...running, config, fingerprint: hostKey.publicKey.fingerprint },
      told: `SSH gateway on port ${running.sshPort}, HTTP proxy on port ${running.proxyPort}`,
    };
  });
  const client = await steps.step("Client registers", async () => {
    const secret = newJoinSecret();
    const registry = openRegistry(server.config.registryUrl);
    registry.addJoinCode({ hash: hashJoinSecret(secret), brand: "", usesLeft: 1, expiresAt: Date.now() + 60_000 });
    registry.close();
    const settings = {
      "client.host": HOST,
      "client.port": server.sshPort,
      "client.local.host": HOST,
      "client.local.port": service,
    };
    const config = parseConfig(configTemplate("client", settings), join(folder, "client", "config.toml")).client;
    const joinCode = { secret, hostKeyFingerprint: server.fingerprint, host: HOST, port: server.sshPort };
    const registered = await register({
      config,
      folder: join(folder, "client"),
      tenant: DEFAULT_TENANT,
      joinCode,
      signal,
    });
    return {
      result: { config, ...registered },
      told: `id ${registered.registeredId}, reverse port ${registered.registeredPort}; the join code is used up`,
    };
  });
  const { registeredId: id, registeredPort: rawPort } = client;
  const running = await steps.step("Tunnel", async () => {
    const started = startClient(client.config, join(folder, "client"), log, signal);
    await within(started.connected, 15_000, "The tunnel did not come about");
    return { result: started, told: "client → SSH gateway; from now on callers reach the service" };
  });
  const url = `http://${id}.localhost:${server.proxyPort}/`;
  await steps.step("HTTP request", async () => {
    const { status, body } = await get(server.proxyPort, "/hello?from=caller", `${id}.localhost`);
    if (status !== 200 || !body.includes("/hello?from=caller")) {
      throw new PetitError("demo-failed", `The answer was not the service's: ${status} ${body}`);
    }
    return {
      result: undefined,
      told: `GET ${url}hello → proxy → tunnel → client → service: ${status}, ${body.length} bytes`,
    };
  });
  await steps.step("TCP round trip", async () => {
    const answer = await tcpRoundTrip(rawPort);
    return {
      result: undefined,
      told: `${HOST}:${rawPort} → tunnel → client → service: ${answer.length} bytes there and back`,
    };
  });
  if (!once) {
    steps.say([
      "",
      "It goes on running. Try, in another terminal:",
      "",
      `  curl -i ${url}`,
      `  curl -i -H 'Host: ${id}' http://${HOST}:${server.proxyPort}/anything`,
      `  curl -N -H 'Host: ${id}' http://${HOST}:${server.proxyPort}/events     (server-sent events, one a second)`,
      `  curl -i http://${HOST}:${rawPort}/                       (the raw port: TCP, whatever is in it)`,
      `  curl -i -H 'Host: 9999' http://${HOST}:${server.proxyPort}/            (an id that nobody has)`,
      "",
      "Ctrl-C ends it and removes its temporary folder.",
      "",
    ]);
    await new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve()));
  }
  stop.abort();
  await Promise.all([running.closed, server.closed]);
  steps.say([once ? "Everything works. Nothing was left behind." : "Stopped. Nothing was left behind."]);
  return 0;
}

/** Sends a request. Not by fetch, which would ask the proxy that the environment names. */
function get(port: number, path: string, host: string): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    request({ host: HOST, port, path, headers: { host }, agent: false }, (response) => {
      let body = "";
      response.on("data", (piece) => body += piece);
      response.on("end", () => resolve({ status: response.statusCode ?? 0, body }));
    }).on("error", reject).end();
  });
}

function tcpRoundTrip(port: number): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: HOST });
    let answer = "";
    socket.on("data", (bytes) => answer += bytes);
    socket.on("error", reject);
    socket.on(
      "close",
      () => answer.startsWith("HTTP/1.1 200") ? resolve(answer) : reject(new Error("no answer on the reverse port")),
    );
    socket.write("GET /raw HTTP/1.1\r\nHost: raw\r\nConnection: close\r\n\r\n");
  });
}

async function within<T>(promise: Promise<T>, milliseconds: number, otherwise: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new PetitError("demo-failed", otherwise)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
