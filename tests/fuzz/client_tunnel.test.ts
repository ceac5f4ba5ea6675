import assert from "node:assert/strict";
import { createServer, type Socket } from "node:net";
import { before } from "node:test";
import fc from "fast-check";
import { openBackchannel } from "../../src/client/backchannel.ts";
import { parseConfig } from "../../src/config/load.ts";
import { PetitError } from "../../src/error.ts";
import type { Channel } from "../../src/tunnel/channel.ts";
import { generateKey } from "../../src/tunnel/keys.ts";
import { encodeMessage } from "../../src/tunnel/message_stream.ts";
import { connectSsh } from "../../src/tunnel/ssh_client.ts";
import { type Connection, Server } from "../../src/tunnel/ssh_library.ts";
import { fileScope } from "../world/file_scope.ts";
import { listenOn } from "../world/world.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { inject } from "./world/ssh_injector.ts";
import {
  anyMessage,
  anyPacket,
  kexInit,
  message,
  NEWKEYS,
  packed,
  packet,
  sshString,
  uint32,
  unpacked,
} from "./world/ssh_packets.ts";

/** Where the hostile bytes of a server come: in place of SSH, behind the key exchange, behind the login, in the backchannel. */
const PLACES = ["raw", "handshake", "ready", "backchannel"] as const;

const scope = fileScope();
const { privatePem } = generateKey("fuzz");
const hostKey = generateKey("host").privatePem;
/** Nothing is kept there. */
const folder = "/nowhere";
const config = parseConfig("", `${folder}/config.toml`).client;
let port: number;
/** What the server is to do with the next connection. */
let hostile: { readonly place: typeof PLACES[number]; readonly bytes: Buffer };

before(async () => {
  const ssh = new Server({ hostKeys: [hostKey] }, serve);
  const sockets = new Set<Socket>();
  const listener = createServer((socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    socket.on("error", () => {});
    if (hostile.place === "raw") {
      socket.end(hostile.bytes);
      socket.resume();
    } else ssh.injectSocket(socket);
  });
  port = await listenOn(listener);
  scope.after(() => {
    for (const socket of sockets) socket.destroy();
    listener.close();
  });
});

function serve(connection: Connection): void {
  const { place, bytes } = hostile;
  const attack = () => {
    try {
      for (const payload of unpacked(bytes)) inject(connection, payload);
      connection.end();
    } catch {
      // The client was done with it already.
    }
  };
  connection.on("error", () => {});
  connection.on("authentication", (context) => context.accept());
  connection.on("request", (accept) => accept?.());
  connection.on("tcpip", (accept) => {
    const channel = accept();
    channel.on("error", () => {});
    if (place !== "backchannel") return;
    channel.end(bytes);
    setTimeout(() => connection.end(), 5);
  });
  if (place === "handshake") connection.on("handshake", attack);
  if (place === "ready") connection.on("ready", attack);
}

/** Milliseconds that a client may take to see that there is nothing to be had here. */
const GIVES_UP = 3000;

async function check(bytes: Buffer): Promise<void> {
  hostile = { place: PLACES[(bytes[0] ?? 0) % PLACES.length] as typeof PLACES[number], bytes: bytes.subarray(1) };
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) =>
    timer = setTimeout(() => reject(new Error("The client goes on waiting")), GIVES_UP * 2.5)
  );
  try {
    await Promise.race([client(), late]);
  } finally {
    clearTimeout(timer);
  }
}

async function client(): Promise<void> {
  const hangUp = new AbortController();
  try {
    const connection = await connectSsh({
      host: "127.0.0.1",
      port,
      user: "fuzz",
      privateKey: privatePem,
      software: "petit_fuzz",
      verifyHost: () => {},
      timeout: GIVES_UP,
      alive: { interval: 4000, countMax: 1 },
      rekey: { rekeyLimit: 0, rekeyInterval: 0 },
      signal: hangUp.signal,
    });
    connection.onForwarded = (forwarded) => serveForwarded(forwarded.accept());
    const asked = [
      connection.forward("127.0.0.1", 11_081),
      openBackchannel(connection, { config, folder, holds: false }).then((backchannel) =>
        backchannel.ask({ type: "ping1" }, "didPing1")
      ),
    ];
    const results = await Promise.race([Promise.allSettled(asked), connection.closed.then(() => [])]);
    for (const result of results) {
      if (result.status === "rejected") assert.ok(result.reason instanceof PetitError, String(result.reason));
    }
    connection.end();
    assert.equal(typeof await connection.closed, "string");
  } catch (error) {
    assert.ok(error instanceof PetitError, String(error));
  } finally {
    hangUp.abort();
  }
}

function serveForwarded(channel: Channel): void {
  channel.attach({
    onData: (bytes) => void channel.write(bytes),
    onEnd: () => channel.finish(),
    onDrain() {},
    onClose() {},
  });
}

const input = (place: typeof PLACES[number], bytes: Buffer) =>
  Buffer.concat([Buffer.from([PLACES.indexOf(place)]), bytes]);
const raw = (first: string, ...packets: Buffer[]) => input("raw", Buffer.concat([Buffer.from(first), ...packets]));
const yes = Buffer.from([1]);
const open = (window: number, size: number, port = 11_081) =>
  message(
    90,
    "forwarded-tcpip",
    uint32(0),
    uint32(window),
    uint32(size),
    "127.0.0.1",
    uint32(port),
    "192.0.2.1",
    uint32(1),
  );

const made = fc.oneof(
  fc.array(anyMessage, { maxLength: 8 }).map((messages) => input("handshake", packed(messages))),
  fc.array(anyMessage, { maxLength: 8 }).map((messages) => input("ready", packed(messages))),
  fc.tuple(
    fc.constantFrom(
      "SSH-2.0-x\r\n",
      "hello\r\nSSH-2.0-x\r\n",
      "HTTP/1.1 400\r\n\r\n",
      "x".repeat(9000),
      "a\r\n".repeat(2000),
    ),
    fc.array(anyPacket, { maxLength: 4 }),
  )
    .map(([first, packets]) => raw(first, ...packets)),
  fc.array(
    fc.oneof(fc.json({ maxDepth: 2 }), fc.constantFrom("[".repeat(40_000), "x".repeat(70_000), '{"type":"didPing1"}')),
    { maxLength: 4 },
  )
    .map((messages) => input("backchannel", Buffer.from(messages.map((message) => `${message}\x03`).join("")))),
);

fuzzTest({
  name: "client_tunnel",
  seeds: [
    raw(
      "SSH-2.0-x\r\n",
      packet(kexInit()),
      packet(message(31, "host key", sshString(Buffer.alloc(32, 9)), "signature")),
      packet(message(NEWKEYS)),
    ),
    raw("SSH-2.0-x\r\n", packet(message(1, uint32(2), "no", ""))),
    input("handshake", packed([message(6, "ssh-userauth"), message(52)])),
    input(
      "handshake",
      packed([
        message(51, "publickey", Buffer.from([0])),
        message(53, "banner\x1b[2J", ""),
        message(60, "ssh-ed25519", "x"),
      ]),
    ),
    input(
      "ready",
      packed([open(2 ** 21, 32_768), message(94, uint32(0), "data"), message(96, uint32(0)), message(97, uint32(0))]),
    ),
    input("ready", packed([open(2 ** 32 - 1, 0), message(94, uint32(0), "data")])),
    input("ready", packed([open(0, 1), message(93, uint32(0), uint32(2 ** 32 - 1)), message(94, uint32(0), "data")])),
    input(
      "ready",
      packed([
        message(80, "keepalive@openssh.com", yes),
        message(80, "hostkeys-00@openssh.com", yes, "x"),
        message(81),
        message(82),
        message(82),
      ]),
    ),
    input("ready", packed([message(91, uint32(0), uint32(0), uint32(0), uint32(0)), message(94, uint32(0), "x")])),
    input("ready", packed([kexInit(), kexInit()])),
    input("backchannel", encodeMessage({ type: "didPing1" })),
    input("backchannel", encodeMessage({ type: "reconnect1", after: 0, successor: true })),
    input("backchannel", encodeMessage({ type: "error", error: "e", code: "c" })),
  ],
  words: [
    "\x03",
    uint32(0xffffffff),
    uint32(0),
    sshString("forwarded-tcpip"),
    "SSH-2.0-",
    "\r\n",
    packed([message(82)]),
    packed([message(97, uint32(0))]),
  ],
  made: [made],
  short: 200,
  batch: 200,
  check,
});
