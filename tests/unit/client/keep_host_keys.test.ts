import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { generateKeyPairSync, randomBytes } from "node:crypto";
import { existsSync, mkdirSync, readFileSync, rmSync } from "node:fs";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import pino from "pino";
import { keepHostKeys } from "../../../src/client/keep_host_keys.ts";
import { KnownHost } from "../../../src/client/known_host.ts";
import { OnceAMinute } from "../../../src/observe/once_a_minute.ts";
import { GLOBAL_REQUEST, globalRequest, HOST_KEYS, HOST_KEYS_PROVE } from "../../../src/tunnel/host_keys.ts";
import { readKeys, signProof } from "../../../src/tunnel/host_keys.ts";
import { blobOf, generateKey, type PublicKey } from "../../../src/tunnel/keys.ts";
import { connectSsh } from "../../../src/tunnel/ssh_client.ts";
import { type Connection, type ConnectionInternals, sendMessage, Server } from "../../../src/tunnel/ssh_library.ts";
import { sshString } from "../../../src/tunnel/ssh_strings.ts";
import { eventually } from "../../world/eventually.ts";
import { type Scope, temporaryFolder } from "../../world/world.ts";

const CURRENT = generateKey("current");
const NEXT = generateKey("next");
const OTHER = generateKey("other");

type Pair = typeof CURRENT;
const list = (...keys: PublicKey[]) => Buffer.concat(keys.map((key) => sshString(blobOf(key))));

/** A server that has the host key of its clients, and says and signs whatever a test wants; and such a client. */
async function world(t: Scope, sign: (asked: PublicKey[], sessionId: Buffer) => Buffer | undefined) {
  const asked: PublicKey[][] = [];
  let accepted!: (connection: Connection) => void;
  const connected = new Promise<Connection>((resolve) => accepted = resolve);
  const server = new Server({ hostKeys: [CURRENT.privatePem] }, (connection) => {
    connection.on("error", () => {});
    connection.on("authentication", (context) => context.accept());
    connection.on("ready", () => accepted(connection));
    const protocol = (connection as unknown as ConnectionInternals)._protocol;
    const library = protocol._handlers.GLOBAL_REQUEST;
    protocol._handlers.GLOBAL_REQUEST = (self, name, wantReply, data) => {
      if (name !== HOST_KEYS_PROVE) return library(self, name, wantReply, data);
      const keys = readKeys(data as Buffer) as PublicKey[];
      asked.push(keys);
      const proofs = sign(keys, protocol._kex?.sessionID as Buffer);
      if (proofs === undefined) protocol.requestFailure();
      else protocol.requestSuccess(proofs);
    };
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  t.after(() => server.close());
  const { port } = server.address() as AddressInfo;

  const folder = temporaryFolder(t);
  const known = new KnownHost(folder);
  known.pin("127.0.0.1", port, CURRENT.publicKey);
  const ending = new AbortController();
  t.after(() => ending.abort());
  const client = await connectSsh({
    host: "127.0.0.1",
    port,
    user: "someone",
    privateKey: OTHER.privatePem,
    software: "petit_test",
    verifyHost: (key) => known.check("127.0.0.1", port, key),
    timeout: 10_000,
    alive: { interval: 0, countMax: 3 },
    rekey: { rekeyLimit: 0, rekeyInterval: 0 },
    signal: ending.signal,
  });
  const internals = await connected as unknown as ConnectionInternals;
  let pinned = 0;
  const lines: string[] = [];
  keepHostKeys(client, {
    host: "127.0.0.1",
    port,
    known,
    noise: new OnceAMinute(),
    log: pino({}, { write: (line) => void lines.push(line) }),
    onPinned: () => pinned++,
  });
  const announce = (content: Buffer) =>
    sendMessage(internals, GLOBAL_REQUEST, globalRequest(HOST_KEYS, false, content));
  /** Settles when the client has worked through what it was sent before, and still answers. */
  const heard = async () => {
    const before = client.link.wire.bytesIn;
    internals._protocol.ping();
    await eventually("the client goes on", () => client.link.wire.bytesIn > before);
    await new Promise((resolve) => client.open("localhost", 1).then(resolve, resolve));
    assert.equal(client.link.wire.writable, true, "the tunnel goes on");
  };
  const content = () => readFileSync(join(folder, "known_hosts"), "utf8");
  const rekey = () => internals._protocol.rekey();
  return { announce, rekey, heard, content, asked, lines, folder, port, known, pinned: () => pinned };
}

const honest = (pairs: Pair[]) => (asked: PublicKey[], sessionId: Buffer) =>
  Buffer.concat(asked.map((key) => {
    const pair = pairs.find(({ publicKey }) => publicKey.line === key.line) as Pair;
    return sshString(signProof(pair.privatePem, pair.publicKey, sessionId));
  }));

test("host keys: the next one is pinned once it is proven, and others are dropped when they are gone", async (t) => {
  const { announce, content, asked, pinned, port } = await world(t, honest([NEXT, OTHER]));
  const name = `[127.0.0.1]:${port}`;
  announce(list(CURRENT.publicKey, NEXT.publicKey));
  await eventually("it is pinned", () => pinned() === 1);
  assert.equal(content(), `${name} ${CURRENT.publicKey.line}\n${name} ${NEXT.publicKey.line}\n`);
  assert.deepEqual(asked, [[NEXT.publicKey]], "only what is new is asked for");
  announce(list(CURRENT.publicKey, OTHER.publicKey));
  await eventually("the other is pinned", () => pinned() === 2);
  assert.equal(content(), `${name} ${CURRENT.publicKey.line}\n${name} ${OTHER.publicKey.line}\n`);
  announce(list(CURRENT.publicKey));
  await eventually("it is dropped", () => content() === `${name} ${CURRENT.publicKey.line}\n`);
});

test("host keys: what is announced while keys are exchanged is heard when that is over", async (t) => {
  const { announce, rekey, heard, content, pinned } = await world(t, honest([NEXT]));
  rekey();
  announce(list(CURRENT.publicKey, NEXT.publicKey));
  await eventually("it is pinned", () => pinned() === 1);
  rekey();
  await heard();
  announce(list(CURRENT.publicKey));
  await eventually("it is dropped", () => !content().includes(NEXT.publicKey.line));
});

const NOT_MUCH = list(CURRENT.publicKey);
const rsa = generateKeyPairSync("rsa", { modulusLength: 1024 }).publicKey.export({ format: "jwk" });
const RSA = Buffer.concat([
  sshString("ssh-rsa"),
  sshString(Buffer.from(rsa.e as string, "base64url")),
  sshString(Buffer.concat([Buffer.from([0]), Buffer.from(rsa.n as string, "base64url")])),
]);

/** Announcements that change nothing and ask for nothing. */
const SENSELESS: Record<string, Buffer> = {
  "an empty list": Buffer.alloc(0),
  "a list that is cut off": Buffer.concat([NOT_MUCH, sshString(blobOf(NEXT.publicKey)).subarray(0, 30)]),
  "a length beyond the message": Buffer.concat([NOT_MUCH, Buffer.from([255, 255, 255, 255, 1])]),
  "a list that ends in a length": Buffer.concat([NOT_MUCH, Buffer.from([0])]),
  "a list of thousands of empty keys": Buffer.concat([NOT_MUCH, Buffer.alloc(30_000)]),
  "a list of hundreds of keys": Buffer.concat(
    [
      NOT_MUCH,
      ...Array.from(
        { length: 500 },
        () => sshString(Buffer.concat([blobOf(NEXT.publicKey).subarray(0, 19), randomBytes(32)])),
      ),
    ],
  ),
  "a huge key": Buffer.concat([NOT_MUCH, sshString(Buffer.concat([sshString("ssh-ed25519"), Buffer.alloc(30_000)]))]),
  "a key that comes twice": list(CURRENT.publicKey, NEXT.publicKey, NEXT.publicKey),
  "a list without the known key": list(NEXT.publicKey, OTHER.publicKey),
  "a key of a type that petit does not learn": Buffer.concat([NOT_MUCH, sshString(RSA)]),
  "a key that is too long for its type": Buffer.concat([
    NOT_MUCH,
    sshString(Buffer.concat([blobOf(NEXT.publicKey), Buffer.from([1])])),
  ]),
  "a type that would end the line": Buffer.concat([
    NOT_MUCH,
    sshString(Buffer.concat([sshString("ssh-ed25519\n* ssh-ed25519"), blobOf(NEXT.publicKey).subarray(15)])),
  ]),
};

for (const [what, content] of Object.entries(SENSELESS)) {
  test(`host keys: ${what} changes nothing, and does not end the tunnel`, async (t) => {
    const made = await world(t, honest([NEXT]));
    const before = made.content();
    made.announce(content);
    await made.heard();
    assert.equal(made.content(), before);
    assert.deepEqual([made.asked.length, made.pinned()], [0, 0]);
  });
}

/** Proofs that prove nothing. */
const UNPROVEN: Record<string, (asked: PublicKey[], sessionId: Buffer) => Buffer | undefined> = {
  "a refusal": () => undefined,
  "no proof": () => Buffer.alloc(0),
  "a proof for another session": (_, id) =>
    sshString(signProof(NEXT.privatePem, NEXT.publicKey, Buffer.alloc(id.length))),
  "a proof by the current key": (_, id) => sshString(signProof(CURRENT.privatePem, NEXT.publicKey, id)),
  "a proof of the current key": (_, id) => sshString(signProof(CURRENT.privatePem, CURRENT.publicKey, id)),
  "a proof that is cut off": (_, id) => sshString(signProof(NEXT.privatePem, NEXT.publicKey, id)).subarray(0, 60),
  "a proof and something else": (_, id) =>
    Buffer.concat([sshString(signProof(NEXT.privatePem, NEXT.publicKey, id)), sshString("x")]),
  "a proof under the name of another algorithm": (_, id) =>
    sshString(
      Buffer.concat([
        sshString("ssh-rsa"),
        signProof(NEXT.privatePem, NEXT.publicKey, id).subarray(4 + "ssh-ed25519".length),
      ]),
    ),
  "random bytes": () => randomBytes(10_000),
};

for (const [what, sign] of Object.entries(UNPROVEN)) {
  test(`host keys: ${what} pins nothing, and does not end the tunnel`, async (t) => {
    const made = await world(t, sign);
    const before = made.content();
    made.announce(list(CURRENT.publicKey, NEXT.publicKey));
    await eventually("the client says so", () => made.lines.some((line) => line.includes("host-key-unproven")));
    await made.heard();
    assert.equal(made.content(), before);
    assert.equal(made.pinned(), 0);
  });
}

test("host keys: one key that is not proven spoils the others with it", async (t) => {
  const { announce, heard, content, lines } = await world(
    t,
    (asked, id) => Buffer.concat(asked.map((key) => sshString(signProof(NEXT.privatePem, key, id)))),
  );
  const before = content();
  announce(list(CURRENT.publicKey, NEXT.publicKey, OTHER.publicKey));
  await eventually("the client says so", () => lines.some((line) => line.includes("host-key-unproven")));
  await heard();
  assert.equal(content(), before);
});

test("host keys: a key that is not pinned any more vouches for nothing", async (t) => {
  const { announce, heard, folder, asked, pinned } = await world(t, honest([NEXT]));
  rmSync(join(folder, "known_hosts"));
  announce(list(CURRENT.publicKey, NEXT.publicKey));
  await heard();
  assert.deepEqual([asked.length, pinned(), existsSync(join(folder, "known_hosts"))], [0, 0, false]);
});

test("host keys: a file that cannot be written is said to be so, stays as it is, and ends no tunnel", async (t) => {
  const { announce, heard, content, lines, folder, pinned } = await world(t, honest([NEXT]));
  const before = content();
  // In the way of the temporary file.
  mkdirSync(join(folder, `known_hosts.${process.pid}.tmp`));
  announce(list(CURRENT.publicKey, NEXT.publicKey));
  await eventually("the client says so", () => lines.some((line) => line.includes("state-unwritable")));
  await heard();
  assert.deepEqual([content(), pinned()], [before, 0]);
});
