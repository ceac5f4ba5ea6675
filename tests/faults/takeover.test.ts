import assert from "node:assert/strict";
import { cpSync, readFileSync, writeFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { ClientProcess, configure, ServerProcess } from "../world/executable.ts";
import { fileScope } from "../world/file_scope.ts";
import { exchange } from "../world/raw_http.ts";
import { RawPeer } from "../world/raw_peer.ts";
import { type LogLine, type Scope, startService } from "../world/world.ts";
import { Baseline } from "./world/baseline.ts";
import { within } from "./world/daemon_status.ts";
import { FaultRelay } from "./world/fault_relay.ts";
import { codeThrough } from "./world/fault_world.ts";
import { figure } from "./world/figure.ts";
import { inForm, SLOW } from "./world/form.ts";

/** Milliseconds from the new login to the first answer. */
const BOUND = 500;
const ROUNDS = inForm(1, 10);
/** Milliseconds between two requests of somebody who asks all the time. */
const EVERY = 10;
/** MiB */
const MARGIN = 24;

/** A client with a relay of its own before the gateway, and a service of its own, which answers with the client's name. */
interface Connected {
  readonly name: string;
  readonly client: ClientProcess;
  readonly relay: FaultRelay;
}

/** What the state of the older connection is when the newer one comes. */
const STATES: Record<string, (old: Connected) => unknown> = {
  "alive": () => {},
  "half-open: its process is stopped": ({ client }) => process.kill(client.daemon.pid, "SIGSTOP"),
  "black-holed": ({ relay }) => relay.set({ both: { hole: "drop" } }),
};

const scope = fileScope();

// At the same time, each in a world of its own.
const passed = Promise.all(Object.entries(STATES).map(([name, change]) => takeOver(name, change)));
passed.catch(() => {});

for (const [index, name] of Object.keys(STATES).entries()) {
  test(`a client takes over from a connection that is ${name}, and answers within ${BOUND} ms`, SLOW, async () => {
    await (await passed)[index]?.();
  });
}

/** A service that answers every request with a name, and sends raw streams back. */
async function namedService(scope: Scope, name: string): Promise<number> {
  const answer = (socket: Socket) =>
    socket.on("data", (bytes: Buffer) => {
      if (!bytes.includes("GET ")) socket.write(bytes);
      else socket.end(`HTTP/1.1 200 OK\r\nContent-Length: ${name.length}\r\nConnection: close\r\n\r\n${name}`);
    });
  return (await startService(scope, answer)).port;
}

/** The same client once more: its key and all else that it has, in another folder, and another way to the server. */
async function copyOf({ client }: Connected, name: string, server: ServerProcess): Promise<Connected> {
  const relay = await FaultRelay.to(scope, server.sshPort);
  const copy = new ClientProcess(scope);
  cpSync(client.folder, copy.folder, { recursive: true, filter: (path) => !/\.(pid|lock|sock)$|logs/.test(path) });
  const hosts = join(copy.folder, "known_hosts");
  writeFileSync(hosts, readFileSync(hosts, "utf8").replace(/]:\d+ /g, `]:${relay.port} `));
  configure(copy.config, { "client.port": relay.port, "client.local.port": await namedService(scope, name) });
  Object.assign(copy, { id: client.id, port: client.port });
  return { name, client: copy, relay };
}

async function takeOver(state: string, change: (old: Connected) => unknown): Promise<() => Promise<void>> {
  const fault = `take-over from a connection that is ${state}`;
  const server = await (await ServerProcess.init(scope, { "server.logLevel": "debug" })).start();
  const relay = await FaultRelay.to(scope, server.sshPort);
  const client = new ClientProcess(scope);
  await client.register(codeThrough(await server.joinCode(), relay.port), await namedService(scope, "0"));
  await client.start();
  const request = `GET / HTTP/1.1\r\nHost: ${client.id}\r\nConnection: close\r\n\r\n`;
  const ask = async () => (await exchange(server.proxyPort, request)).split("\r\n\r\n")[1];
  assert.equal(await ask(), "0");
  const baseline = await Baseline.ofPids({ server: server.daemon.pid });
  const slowest = { answer: 0, channel: 0 };
  const wrong: (string | undefined)[] = [];
  let old: Connected = { name: "0", client, relay };
  for (let round = 1; round <= ROUNDS; round++) {
    const stream = new RawPeer(connect({ port: client.port, host: "127.0.0.1" }));
    stream.send("a raw stream");
    await stream.untilText("a raw stream");
    const next = await copyOf(old, String(round), server);
    await change(old);
    const logins = loginsOf(server.daemon.log);
    const answer = { at: 0 };
    const asking = setInterval(() => {
      void ask().then((body) => {
        if (body === next.name && answer.at === 0) answer.at = Date.now();
        else if (body !== next.name && body !== old.name) wrong.push(body);
      });
    }, EVERY);
    scope.after(() => clearInterval(asking));
    const ended = stream.closed.then(() => Date.now());
    await next.client.start();
    assert.ok(await within(10_000, () => answer.at > 0), "nobody was answered by the newer connection");
    clearInterval(asking);
    const login = loginsOf(server.daemon.log)[logins.length] as number;
    slowest.answer = Math.max(slowest.answer, answer.at - login);
    slowest.channel = Math.max(slowest.channel, await ended - login);
    const stopped = old.client.daemon.stop();
    process.kill(old.client.daemon.pid, "SIGCONT");
    await stopped;
    await old.relay.close();
    assert.ok(await within(10_000, async () => await ask() === next.name), "the newer connection stays");
    old = next;
  }
  return async () => {
    figure(fault, "from the new login to the first answer, at most", slowest.answer, "ms");
    figure(fault, "from the new login to the end of the old one's streams, at most", slowest.channel, "ms");
    assert.deepEqual(wrong, []);
    assert.ok(slowest.answer <= BOUND, `answered after ${slowest.answer} ms`);
    assert.ok(slowest.channel <= BOUND, `a stream of the old one ended after ${slowest.channel} ms`);
    await baseline.check(fault, MARGIN);
  };
}

/** When clients have logged in, in milliseconds since 1970 by the server's own log. */
function loginsOf(log: readonly LogLine[]): number[] {
  return log.filter(({ msg }) => msg === "A client logged in").map((line) =>
    new Date(line["time"] as string).getTime()
  );
}
