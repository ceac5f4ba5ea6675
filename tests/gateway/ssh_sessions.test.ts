import assert from "node:assert/strict";
import test, { type TestContext } from "node:test";
import { generateKey } from "../../src/tunnel/keys.ts";
import { eventually } from "../world/eventually.ts";
import { fields, keyPairOf, MESSAGE, RawSsh } from "../world/raw_ssh.ts";
import { keyOf, SshPeer } from "../world/ssh_peer.ts";
import { TestClient, TestServer } from "../world/world.ts";

const SUCCESS = 99;
const EXTENDED_DATA = 95;
const DATA = 94;
const EOF = 96;
const SHELL = 0;

async function loggedIn(t: TestContext, user?: (id: string) => string) {
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, 9).register(server.joinCode());
  const peer = new SshPeer(t);
  assert.equal(await peer.login(server, user?.(client.registered.registeredId) ?? "petit", [keyOf(client)]), "ready");
  return { server, client, peer, id: client.registered.registeredId };
}

/** What a command answers. @param input what comes on its standard input; undefined leaves that open */
function exec(peer: SshPeer, command: string, input?: Buffer | string, options = {}) {
  return new Promise<{ code: number | undefined; out: string; err: string }>((resolve, reject) =>
    peer.client.exec(command, options, (error, stream) => {
      if (error) return reject(error);
      const answer = { code: undefined as number | undefined, out: "", err: "" };
      stream.on("data", (bytes: Buffer) => answer.out += bytes);
      stream.stderr.on("data", (bytes: Buffer) => answer.err += bytes);
      stream.on("exit", (code: number) => answer.code = code);
      stream.on("close", () => resolve(answer));
      stream.on("error", () => {});
      if (input !== undefined) stream.end(input);
    })
  );
}

test("status tells of the key's own registrations and of no others, under every name", async (t) => {
  const { server, client, peer, id } = await loggedIn(t);
  const other = await new TestClient(t, server, 9).register(server.joinCode());
  const { code, out } = await exec(peer, "status --json");
  assert.equal(code, 0);
  assert.deepEqual(JSON.parse(out).map(({ registeredId }: { registeredId: string }) => registeredId), [id]);
  for (const word of [other.registered.registeredId, "--all", "-a"]) {
    assert.deepEqual(await exec(peer, `status ${word}`), {
      code: 2,
      out: "",
      err: `petit: "${word}" means nothing to "status"\n"help" lists the commands\n`,
    });
  }
  const named = new SshPeer(t);
  assert.equal(await named.login(server, id, [keyOf(client)]), "ready");
  assert.match((await exec(named, " status ")).out, new RegExp(`^Registration +${id}\n`));
});

test("a registration that is taken away is told of no more, on a connection that stands", async (t) => {
  const { server, client, id } = await loggedIn(t);
  const second = new SshPeer(t);
  const code = { type: "password", password: server.joinCode().secret };
  await second.login(server, "join", [keyOf(client), code]);
  assert.equal((await exec(second, "register --local-name second", "")).code, 0);
  const named = new SshPeer(t);
  assert.equal(await named.login(server, id, [keyOf(client)]), "ready");
  server.running.control.unregister(id);
  assert.deepEqual(await exec(named, "status --json"), { code: 0, out: "[]\n", err: "" });
});

test("commands that there are not, in every shape, are sentences", async (t) => {
  const { server, peer } = await loggedIn(t);
  for (
    const command of [
      "",
      " ",
      "id",
      "sh -c id",
      "status; id",
      "STATUS",
      "\0",
      "help\nid",
      "x".repeat(20_000),
      "Ω".repeat(99),
    ]
  ) {
    const { code, out, err } = await exec(peer, command);
    if (command === "help\nid") assert.equal(code, 0);
    else assert.deepEqual([code, out], [127, ""], command.slice(0, 20));
    assert.match(`${out}${err}`, /^(petit: There is no command "[\x20-\x7e]{0,60}" here|status \[--json\])/);
  }
  assert.equal((await exec(peer, `status ${"x".repeat(2000)}`)).code, 2);
  const told = server.log.filter(({ code }) => code === "command-refused");
  assert.equal(told.length, 1, "told once a minute");
});

test("what clients ask for on the way is granted or refused in silence", async (t) => {
  const { peer } = await loggedIn(t);
  const options = { pty: { term: "xterm", cols: 80, rows: 24 }, env: { LANG: "C", "LD_PRELOAD": "/x" } };
  const { code, out } = await exec(peer, "help", undefined, options);
  assert.equal(code, 0);
  // On a terminal a new line does not return to its beginning by itself.
  assert.ok(out.includes("\r\n") && !/[^\r]\n/.test(out), out);
});

test("a shell stands while its connection forwards, until its user ends it", async (t) => {
  const { client, peer, id } = await loggedIn(t);
  const { registeredPort } = client.registered;
  // Not waited for: the session is asked for before the forward is decided.
  const forwarded = peer.forward("127.0.0.1", registeredPort);
  const told = await new Promise<string>((resolve, reject) =>
    peer.client.shell((error, stream) => {
      if (error) return reject(error);
      let out = "";
      stream.on("data", (bytes: Buffer) => {
        out += bytes;
        if (out.includes("Ctrl-C")) stream.write("\x03");
      });
      stream.on("close", () => resolve(out));
    })
  );
  assert.equal(await forwarded, registeredPort);
  assert.match(told, new RegExp(`^${id} is connected: `));
});

test("what is refused on a connection is told in its session, before and after", async (t) => {
  const { client, peer, id } = await loggedIn(t);
  const { registeredPort: own } = client.registered;
  assert.equal(await peer.forward("127.0.0.1", own), own);
  await peer.forward("127.0.0.1", 1);
  let err = "";
  await new Promise<void>((resolve, reject) =>
    peer.client.shell(false, (error, stream) => {
      if (error) return reject(error);
      stream.stderr.on("data", (bytes: Buffer) => err += bytes);
      stream.once("data", () => resolve());
    })
  );
  await peer.forward("127.0.0.1", 2);
  const sentence = (port: number) => `Port ${port} is not one of this key's; it may forward ${own} (${id})\n`;
  await eventually("both are told", () => err === sentence(1) + sentence(2));
});

test("a connection has ten sessions and no more, and each of them asks once", async (t) => {
  const { server, client } = await loggedIn(t);
  const raw = await RawSsh.connect(t, server);
  assert.equal(await raw.login({ key: keyPairOf(client) }), MESSAGE.authSuccess);
  const { registeredPort } = client.registered;
  assert.equal(await raw.request("tcpip-forward", "127.0.0.1", registeredPort), true);
  for (let count = 0; count < 10; count++) assert.equal(await raw.open("session"), "open");
  assert.equal(await raw.open("session"), 1);
  assert.equal(await raw.ask(MESSAGE.channelRequest, raw.channel, "env", true, "LANG", "C"), SUCCESS);
  assert.equal(await raw.ask(MESSAGE.channelRequest, raw.channel, "shell", true), SUCCESS);
  raw.send(MESSAGE.channelRequest, raw.channel, "exec", true, "status");
  // Between its words may be what the shell's place says.
  for (let answer = await raw.receive(); answer?.[0] !== MESSAGE.channelFailure; answer = await raw.receive()) {
    assert.ok(answer !== undefined && [DATA, EXTENDED_DATA].includes(answer[0] as number), String(answer?.[0]));
  }
  raw.send(MESSAGE.channelClose, raw.channel);
  for (let answer = await raw.receive(); answer?.[0] !== MESSAGE.channelClose; answer = await raw.receive()) {
    assert.ok(answer !== undefined);
  }
  assert.equal(await raw.open("session"), "open");
  assert.ok(server.running.control.statusOf(client.registered.registeredId).connected);
});

test("the exit status comes behind the answer and before the end, and no more than the window allows", async (t) => {
  const { server, client } = await loggedIn(t);
  const raw = await RawSsh.connect(t, server);
  assert.equal(await raw.login({ key: keyPairOf(client) }), MESSAGE.authSuccess);
  // A window of 10 bytes.
  raw.send(MESSAGE.channelOpen, "session", SHELL, 10, 2 ** 15);
  const opened = await raw.receive();
  const channel = (opened as Buffer).readUInt32BE(5);
  assert.equal(await raw.ask(MESSAGE.channelRequest, channel, "exec", true, "help"), SUCCESS);
  const first = await raw.receive() as Buffer;
  assert.deepEqual([first[0], first.readUInt32BE(5)], [DATA, 10]);
  // WINDOW_ADJUST
  raw.send(93, channel, 100_000);
  const kinds = [];
  for (let answer = await raw.receive(); answer !== undefined; answer = await raw.receive()) {
    kinds.push(answer[0]);
    if (answer[0] === MESSAGE.channelRequest) {
      assert.ok(answer.subarray(5).equals(fields("exit-status", false, 0)));
    }
    if (answer[0] === MESSAGE.channelClose) break;
  }
  assert.deepEqual(kinds, [DATA, MESSAGE.channelRequest, EOF, MESSAGE.channelClose]);
});

test("a join code registers the key on standard input, in one line or many pieces, once", async (t) => {
  const server = await new TestServer(t).start();
  const { line, fingerprint } = generateKey("").publicKey;
  const password = server.joinCode({ brand: "acme" }).secret;
  const joining = async () => {
    const peer = new SshPeer(t);
    assert.equal(await peer.login(server, "join", [{ type: "password", password }]), "ready");
    return peer;
  };
  const peer = await joining();
  const [first, ...others] = await Promise.all(
    [1, 2, 3].map(() => exec(peer, "register --json", line)),
  );
  const made = JSON.parse(first?.out as string);
  assert.deepEqual([made.fingerprint, made.brand, made.hostKey], [fingerprint, "acme", server.hostKeyFingerprint]);
  for (const { out } of others) assert.equal(JSON.parse(out).registeredId, made.registeredId);
  const { vitae, brand } = server.running.control.statusOf(made.registeredId);
  assert.equal(brand, "acme");
  assert.match(vitae?.version as string, /^ssh2js[\d.]+$/);
  const used = await exec(await joining(), "register", generateKey("").publicKey.line);
  assert.deepEqual([used.code, used.err], [1, "petit: This join code has been used already\n"]);
  // 10 MiB, of which it keeps no more than a key may have.
  const long = await exec(peer, "register", Buffer.alloc(10 * 1024 ** 2, "A"));
  assert.deepEqual([long.code, long.out], [2, ""]);
});

test("wrong codes without a key are throttled as those with one; an unused login weighs too", async (t) => {
  const server = await new TestServer(t, "", 'perSourcePenalty = "10s"\nperSourcePenaltyMin = "15s"').start();
  const { secret } = server.joinCode();
  const login = (password: string) => new SshPeer(t).login(server, "join", [{ type: "password", password }]);
  const idle = new SshPeer(t);
  assert.equal(await idle.login(server, "join", [{ type: "password", password: secret }]), "ready");
  idle.client.end();
  await idle.closed;
  // Four penalties for a wrong code.
  assert.match(await login("wrong"), /All configured authentication methods failed/);
  await server.logged(({ code }) => code === "login-failed");
  assert.notEqual(await login(secret), "ready");
  assert.ok(server.log.some(({ code }) => code === "login-throttled"));
});

test("in a server that is open to all, any password lets in to register, and in one that is closed none", async (t) => {
  for (
    const [registration, result] of [["open", "ready"], ["closed", "All configured authentication methods failed"]]
  ) {
    const server = await new TestServer(t, `registration = "${registration}"`).start();
    const peer = new SshPeer(t);
    assert.equal(await peer.login(server, "join", [{ type: "password", password: "x" }]), result);
    if (result !== "ready") continue;
    const { line } = generateKey("").publicKey;
    const [one, again] = [await exec(peer, "register --json", line), await exec(peer, "register --json", line)];
    assert.equal(one.code, 0, one.err);
    // Nobody has proven anything, and there is no code that would tell them apart.
    assert.equal(again.code, 1);
    assert.match(again.err, /has a registration already/);
  }
});
