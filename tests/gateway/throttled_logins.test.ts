import assert from "node:assert/strict";
import { connect } from "node:net";
import test from "node:test";
import { Client } from "../../src/tunnel/ssh_library.ts";
import { eventually } from "../world/eventually.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { exchange, head, statusOf } from "../world/raw_http.ts";
import { RawPeer } from "../world/raw_peer.ts";
import { keyOf, unknownKey } from "../world/ssh_peer.ts";
import { makeWorld, type Scope, TestClient, TestServer } from "../world/world.ts";

/** Addresses of this machine that stand for as many others. */
const ATTACKER = "127.0.0.66";
const OTHER = "127.0.0.67";

/** Three failures at once. */
const STRICT = 'perSourcePenaltyMin = "12s"';

/** The first bytes that the gateway sends to a new connection of an address; "" where it closes it at once. */
async function greetingFor(scope: Scope, port: number, localAddress: string): Promise<string> {
  const peer = new RawPeer(connect({ port, host: "127.0.0.1", localAddress }));
  scope.after(() => peer.socket.destroy());
  await Promise.race([peer.untilText("\r\n").catch(() => {}), peer.closed]);
  const { received } = peer;
  peer.socket.destroy();
  return received;
}

/** Logs in from an address and leaves; "ready", or what went wrong. */
function logIn(scope: Scope, port: number, localAddress: string, user: string, methods: object[]): Promise<string> {
  const client = new Client();
  scope.after(() => client.destroy());
  return new Promise((resolve) => {
    let failure = "closed";
    client.on("ready", () => {
      failure = "ready";
      client.end();
    });
    client.on("error", (error) => failure = error.message);
    client.on("close", () => resolve(failure));
    client.connect({
      sock: connect({ port, host: "127.0.0.1", localAddress }),
      username: user,
      authHandler: methods.map((method) => ({ username: user, ...method })) as never,
    });
  });
}

const REFUSED = "All configured authentication methods failed";

/** Fails so many logins. */
async function fail(scope: Scope, port: number, count: number): Promise<void> {
  for (let i = 0; i < count; i++) assert.equal(await logIn(scope, port, ATTACKER, "petit", [unknownKey()]), REFUSED);
}

test("an address whose logins fail is closed at once, before a word of SSH; others are not concerned", async (t) => {
  const world = await makeWorld(t, new AnsweringService(head("HTTP/1.1 200 OK", "Content-Length: 0")).accept, {
    ssh: STRICT,
  });
  const { server, client, id, proxyPort } = world;
  const port = server.running.sshPort;
  await fail(t, port, 3);
  const throttled = async () => await greetingFor(t, port, ATTACKER) === "";
  await eventually("the attacker is closed at once", throttled);
  for (let i = 0; i < 20; i++) assert.ok(await throttled());
  assert.match(await greetingFor(t, port, OTHER), /^SSH-2.0-petit/);
  assert.equal(await logIn(t, port, OTHER, "petit", [keyOf(client)]), "ready");
  const request = head("GET / HTTP/1.1", `Host: ${id}`, "Connection: close");
  assert.equal(statusOf(await exchange(proxyPort, request)), 200);
  const lines = server.log.filter(({ code }) => code === "login-throttled");
  assert.equal(lines.length, 1, "one line a minute");
  assert.deepEqual([lines[0]?.["address"], lines[0]?.["reason"]], [ATTACKER, "source"]);
  const audited = server.running.audit?.latest(10, undefined, "source-throttled") ?? [];
  assert.deepEqual(audited.map(({ facts }) => JSON.parse(facts)), [{
    address: ATTACKER,
    source: ATTACKER,
    reason: "source",
  }]);
  const metrics = await server.running.metrics.metrics();
  assert.match(metrics, /^petit_logins_refused_total 3$/m);
  assert.ok(Number(/^petit_logins_throttled_total\{reason="source"\} (\d+)$/m.exec(metrics)?.[1]) >= 20);
});

test("wrong join codes are throttled sooner, and a right one from another address is let in", async (t) => {
  const server = await new TestServer(t, "", STRICT).start();
  const port = server.running.sshPort;
  const guess = [unknownKey(), { type: "password", password: "AAAAAAAAAAAAAAAAAAAAAA" }];
  assert.equal(await logIn(t, port, ATTACKER, "join", guess), REFUSED);
  await eventually("the attacker is closed at once", async () => await greetingFor(t, port, ATTACKER) === "");
  const client = await new TestClient(t, server, 9).register(server.joinCode());
  assert.equal(client.registered.registeredId, "1001");
});

test("a join code that registers nobody counts as a failed login", async (t) => {
  const server = await new TestServer(t, "", STRICT).start();
  const port = server.running.sshPort;
  const spent = server.joinCode({ expiresAt: Date.now() - 1 });
  for (let i = 0; i < 3; i++) {
    const methods = [unknownKey(), { type: "password", password: spent.secret }];
    assert.equal(await logIn(t, port, ATTACKER, "join", methods), "ready");
  }
  await eventually("the attacker is closed at once", async () => await greetingFor(t, port, ATTACKER) === "");
});

test("connections that never say anything count when their time is over", async (t) => {
  const server = await new TestServer(t, "", `${STRICT}\nloginGraceTime = "500ms"`).start();
  const port = server.running.sshPort;
  const silent = Array.from({ length: 4 }, () => {
    const peer = new RawPeer(connect({ port, host: "127.0.0.1", localAddress: ATTACKER }));
    t.after(() => peer.socket.destroy());
    return peer;
  });
  for (const peer of silent) await peer.closed;
  await eventually("the attacker is closed at once", async () => await greetingFor(t, port, ATTACKER) === "");
});

test("a client behind an address that fails now and then logs in all the same, once its address is known", async (t) => {
  const server = await new TestServer(t, "", STRICT).start();
  const port = server.running.sshPort;
  const client = await new TestClient(t, server, 9).register(server.joinCode());
  assert.equal(await logIn(t, port, ATTACKER, "petit", [keyOf(client)]), "ready");
  await fail(t, port, 10);
  assert.equal(await logIn(t, port, ATTACKER, "petit", [keyOf(client)]), "ready");
});

test("an exempt address is let in however often its logins fail, and the list is read anew", async (t) => {
  const server = await new TestServer(t, "", STRICT).start();
  const port = server.running.sshPort;
  await fail(t, port, 3);
  await eventually("the address is closed at once", async () => await greetingFor(t, port, ATTACKER) === "");
  server.config.server.ssh.perSourcePenaltyExemptList = ["127.0.0.64/28"];
  await fail(t, port, 3);
  assert.match(await greetingFor(t, port, ATTACKER), /^SSH-2.0-petit/);
});

test("a server that is started again remembers where its clients were", async (t) => {
  const server = await new TestServer(t, "", "maxFailedLogins = 5\n").start();
  const client = await new TestClient(t, server, 9).register(server.joinCode());
  await client.start();
  await client.stop();
  await server.stop();
  await server.start();
  const port = server.running.sshPort;
  for (let i = 2; i < 6; i++) assert.equal(await logIn(t, port, `127.0.0.${i}`, "petit", [unknownKey()]), REFUSED);
  // Each of them may fail too: no more strangers are let in.
  for (let i = 0; i < 40; i++) {
    const socket = connect({ port, host: "127.0.0.1", localAddress: `127.0.1.${i + 1}` }).on("error", () => {});
    t.after(() => socket.destroy());
  }
  await eventually("strangers are closed at once", async () => await greetingFor(t, port, "127.0.2.1") === "");
  await client.start();
  assert.deepEqual(server.log.filter(({ code, address }) => code === "login-throttled" && address === "127.0.0.1"), []);
});
