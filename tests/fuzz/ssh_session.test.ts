import assert from "node:assert/strict";
import { before } from "node:test";
import fc from "fast-check";
import { encodeMessage } from "../../src/tunnel/message_stream.ts";
import { fileScope } from "../world/file_scope.ts";
import { FuzzDaemons } from "./world/fuzz_daemons.ts";
import { fuzzTest } from "./world/fuzz_target.ts";
import { injectIntoServer } from "./world/ssh_injector.ts";
import { anyMessage, kexInit, message, packed, sshString, uint32, unpacked } from "./world/ssh_packets.ts";

const scope = fileScope();
let daemons: FuzzDaemons;
let key: string;
before(async () => {
  daemons = await FuzzDaemons.start(scope);
  key = await daemons.anotherKey();
});

let turn = 0;
const reached = { handshake: 0, ready: 0 };

/** The first byte says whether the messages come before the login or behind it. */
async function check(bytes: Buffer): Promise<void> {
  const at = ((bytes[0] ?? 0) & 1) === 0 ? "handshake" : "ready";
  const sent = await injectIntoServer(daemons.daemons.server.sshPort, key, at, unpacked(bytes.subarray(1)));
  if (sent) reached[at]++;
  if (++turn % 200 === 0) await daemons.stillWell();
}

const no = Buffer.from([0]);
const yes = Buffer.from([1]);
const WINDOWS = [0, 1, 32_768, 2 ** 21, 2 ** 32 - 1];
const open = (type: string, window: number, packetSize: number, ...more: (Buffer | string)[]) =>
  message(90, type, uint32(0), uint32(window), uint32(packetSize), ...more);
const backchannel = (window = 2 ** 21, packetSize = 32_768) =>
  open("direct-tcpip", window, packetSize, "localhost", uint32(3014), "127.0.0.1", uint32(1));
const data = (channel: number, bytes: Buffer | string) => message(94, uint32(channel), sshString(bytes));
const session = (window = 2 ** 21, packetSize = 32_768) => open("session", window, packetSize);
const inSession = (name: string, ...more: (Buffer | string)[]) => message(98, uint32(0), name, yes, ...more);
const forward = (address: string, port: number, reply = yes) =>
  message(80, "tcpip-forward", reply, address, uint32(port));
const publicKey = (signed: Buffer, algorithm: string, blob: Buffer, ...more: Buffer[]) =>
  message(50, "fuzz", "ssh-connection", "publickey", signed, algorithm, sshString(blob), ...more);
const blob = Buffer.concat([sshString("ssh-ed25519"), sshString(Buffer.alloc(32, 7))]);
const HANDSHAKE = { type: "handshake1", handshakeVersion: 2, vitae: { brand: "ce", version: "1" } };

const beforeLogin = [
  [message(5, "ssh-userauth"), message(50, "fuzz", "ssh-connection", "none")],
  [message(5, "ssh-userauth"), publicKey(no, "ssh-ed25519", blob)],
  [
    message(5, "ssh-userauth"),
    publicKey(
      yes,
      "ssh-ed25519",
      blob,
      sshString(Buffer.concat([sshString("ssh-ed25519"), sshString(Buffer.alloc(64))])),
    ),
  ],
  [message(5, "ssh-userauth"), publicKey(yes, "rsa-sha2-256", blob, sshString("x"))],
  [message(5, "ssh-userauth"), message(50, "join", "ssh-connection", "password", no, "secret")],
  [message(5, "ssh-userauth"), message(50, "join", "ssh-connection", "password", yes, "old", "new")],
  [message(5, "ssh-userauth"), message(50, "fuzz", "ssh-connection", "keyboard-interactive", "", "")],
  [
    message(5, "ssh-userauth"),
    message(50, "fuzz", "ssh-connection", "hostbased", "ssh-ed25519", sshString(blob), "h", "u", "s"),
  ],
  [message(5, "ssh-connection")],
  [message(52), backchannel(), data(0, "x")],
  [kexInit(), message(30, Buffer.alloc(32, 9)), message(21)],
  [forward("127.0.0.1", 0)],
];
const behindLogin = [
  [backchannel(), data(0, encodeMessage(HANDSHAKE)), message(96, uint32(0)), message(97, uint32(0))],
  [backchannel(0, 0), data(0, encodeMessage({ type: "ping1" }))],
  [
    backchannel(2 ** 32 - 1, 2 ** 32 - 1),
    data(0, encodeMessage({ type: "ping1" })),
    message(93, uint32(0), uint32(2 ** 32 - 1)),
  ],
  [backchannel(), data(1, "nobody's"), data(2 ** 32 - 1, "x"), message(97, uint32(7)), message(96, uint32(7))],
  [open("session", 0, 0), message(98, uint32(0), "shell", yes)],
  [
    session(),
    inSession("env", "LANG", "C"),
    inSession("exec", "status --json"),
    message(96, uint32(0)),
    message(97, uint32(0)),
  ],
  [
    session(),
    inSession("exec", "register --local-name x"),
    data(0, `ssh-ed25519 ${blob.toString("base64")}`),
    message(96, uint32(0)),
  ],
  [session(1, 1), inSession("exec", "help"), message(93, uint32(0), uint32(2 ** 32 - 1))],
  [
    session(),
    inSession("pty-req", "xterm", uint32(80), uint32(24), uint32(0), uint32(0), sshString("\0")),
    inSession("shell"),
    inSession("exec", "status"),
    data(0, "\x03\x04"),
    message(97, uint32(0)),
    inSession("shell"),
  ],
  [session(), session(), inSession("subsystem", "sftp"), inSession("signal", "KILL"), inSession("window-change")],
  [open("forwarded-tcpip", 1, 1, "127.0.0.1", uint32(1), "127.0.0.1", uint32(1))],
  [open("direct-streamlocal@openssh.com", 1, 1, "/x", "", uint32(0))],
  [
    forward("127.0.0.1", 0),
    forward("127.0.0.1", 1),
    forward("", 2 ** 32 - 1),
    message(80, "cancel-tcpip-forward", yes, "", uint32(1)),
  ],
  [
    message(80, "keepalive@openssh.com", yes),
    message(80, "no-more-sessions@openssh.com", no),
    message(82),
    message(81),
  ],
  [message(91, uint32(0), uint32(0), uint32(0), uint32(0)), message(92, uint32(0), uint32(1), "no", "")],
  [message(95, uint32(0), uint32(1), "stderr"), message(99, uint32(0)), message(100, uint32(0))],
  [kexInit(), kexInit()],
  [kexInit(), message(80, "keepalive@openssh.com", yes)],
  [message(1, uint32(2 ** 32 - 1), "bye\x1b[2J\n", "")],
];
const input = (first: number, messages: readonly Buffer[]) => Buffer.concat([Buffer.from([first]), packed(messages)]);

const anyBackchannel = fc.tuple(
  fc.constantFrom(...WINDOWS),
  fc.constantFrom(...WINDOWS),
  fc.array(
    fc.oneof(
      fc.json({ maxDepth: 2 }).map((json) => data(0, `${json}\x03`)),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => data(0, Buffer.from(bytes))),
      fc.constantFrom(
        ...["probe1", "ping1", "register1"].map((type) =>
          data(0, encodeMessage({ ...HANDSHAKE, type, registeredId: "1002", preferred: null }))
        ),
      ),
      fc.constantFrom(message(96, uint32(0)), message(97, uint32(0)), message(93, uint32(0), uint32(2 ** 32 - 1))),
    ),
    { maxLength: 6 },
  ),
).map(([window, size, messages]) => [backchannel(window, size), ...messages]);
const anySession = fc.tuple(
  fc.constantFrom(...WINDOWS),
  fc.constantFrom(...WINDOWS),
  fc.array(
    fc.oneof(
      fc.string({ maxLength: 40 }).map((command) => inSession("exec", command)),
      fc.constantFrom("status", "status --json", "register", "help").map((command) => inSession("exec", command)),
      fc.constantFrom("shell", "subsystem", "x11-req", "").map((name) => inSession(name)),
      fc.uint8Array({ maxLength: 40 }).map((bytes) => data(0, Buffer.from(bytes))),
      fc.constantFrom(message(96, uint32(0)), message(97, uint32(0)), message(93, uint32(0), uint32(2 ** 32 - 1))),
    ),
    { maxLength: 6 },
  ),
).map(([window, size, messages]) => [session(window, size), ...messages]);
const made = fc.tuple(fc.nat(1), fc.oneof(fc.array(anyMessage, { maxLength: 8 }), anyBackchannel, anySession))
  .map(([first, messages]) => input(first, messages));

fuzzTest({
  name: "ssh_session",
  seeds: [...beforeLogin.map((messages) => input(0, messages)), ...behindLogin.map((messages) => input(1, messages))],
  words: [
    uint32(0xffffffff),
    uint32(0),
    "\x03",
    "localhost",
    uint32(3014),
    sshString("publickey"),
    packed([kexInit()]),
    packed([message(21)]),
  ],
  made: [made],
  short: 250,
  batch: 200,
  check,
  after: () => {
    assert.ok(reached.handshake > turn / 10 && reached.ready > turn / 10, JSON.stringify({ turn, ...reached }));
    return daemons.atRest();
  },
  memory: () => daemons.memory(),
});
