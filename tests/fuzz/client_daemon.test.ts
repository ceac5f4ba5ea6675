import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { before } from "node:test";
import fc from "fast-check";
import { type Connection, Server } from "../../src/tunnel/ssh_library.ts";
import { ClientProcess, configure, Daemon, ServerProcess } from "../world/executable.ts";
import { fileScope } from "../world/file_scope.ts";
import { listenOn, startService } from "../world/world.ts";
import { stateOf } from "../faults/world/process_state.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { inject } from "./world/ssh_injector.ts";
import { anyMessage, kexInit, message, packed, sshString, uint32, unpacked } from "./world/ssh_packets.ts";

const scope = fileScope();
let client: ClientProcess;
/** What the server does with the next connection of its client. */
let next: { readonly payloads: readonly Buffer[]; readonly over: () => void } | undefined;

/** A client whose server goes bad: the key is the right one, and nothing else. */
before(async () => {
  const service = await startService(scope, (socket) => socket.end());
  const good = await ServerProcess.init(scope);
  await good.start();
  client = await new ClientProcess(scope).register(await good.joinCode(), service.port);
  configure(client.config, { "client.reconnectDelayMax": "100ms", "client.connectTimeout": "2s" });
  await good.daemon.stop();
  const ssh = new Server(
    { hostKeys: [readFileSync(join(good.folder, "ssh_host_ed25519_key"))], ident: "petit_9.9.9" },
    serve,
  );
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    ssh.injectSocket(socket);
  });
  await listenOn(listener, good.sshPort);
  scope.after(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
  client.takeFreePorts();
  client.daemon = new Daemon(["client", "-c", client.config], { HOME: client.folder });
});

function serve(connection: Connection): void {
  const attack = next;
  next = undefined;
  connection.on("error", () => {});
  connection.on("authentication", (context) => context.accept());
  connection.on("request", (accept) => accept?.());
  connection.on("tcpip", (accept) => {
    const channel = accept();
    channel.on("error", () => {});
    // The first channel of the client's is number 0: what comes there is its backchannel.
    try {
      for (const payload of attack?.payloads ?? []) inject(connection, payload);
      connection.end();
    } catch {
      // The client was done with it already.
    }
  });
  connection.on("close", () => attack?.over());
}

/** Milliseconds in which a client comes back to a server that has broken off. */
const COMES_BACK = 10_000;

async function check(bytes: Buffer): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error("The client does not come back")), COMES_BACK);
    const over = () => (clearTimeout(timer), resolve());
    next = { payloads: unpacked(bytes), over };
  });
  const { daemon } = client;
  assert.ok(daemon.process.alive);
  assert.deepEqual(daemon.log.filter(({ code, level }) => code === "internal" || level === "not JSON").slice(0, 3), []);
}

const yes = Buffer.from([1]);
const data = (text: string) => message(94, uint32(0), sshString(text));
const SHAKEHAND = JSON.stringify({
  type: "shakehand1",
  registrations: [{ registeredId: "1002", registeredPort: 1, endpoint: "\u001b[2J" }],
  vitae: { environment: "e", endpoint: "e", version: "1" },
});
const told = fc.oneof(
  fc.json({ maxDepth: 2 }),
  fc.constantFrom(SHAKEHAND, "[".repeat(30_000), '{"type":"reconnect1","after":0,"successor":false}'),
)
  .map((json) => data(`${json}\x03`));

fuzzTest({
  name: "client_daemon",
  seeds: [
    packed([
      data(`${SHAKEHAND}\x03`),
      message(90, "forwarded-tcpip", uint32(0), uint32(0), uint32(0), "127.0.0.1", uint32(1), "x", uint32(1)),
    ]),
    packed([data('{"type":"error","error":"no","code":"internal"}\x03')]),
    packed([data('{"type":"reconnect1","after":0,"successor":true}\x03')]),
    packed([kexInit(), kexInit()]),
    packed([message(80, "keepalive@openssh.com", yes), message(81), message(82), message(97, uint32(0))]),
    packed([message(1, uint32(11), "the server stopped", "")]),
  ],
  words: ["\x03", uint32(0xffffffff), uint32(0), packed([message(82)]), packed([data("{}\x03")])],
  made: [fc.array(fc.oneof(anyMessage, told), { maxLength: 6 }).map(packed)],
  short: 10,
  batch: 20,
  check,
  memory: () => stateOf(client.daemon.pid).memory * 1024 ** 2,
});
