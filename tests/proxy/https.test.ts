import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { mkdirSync, renameSync, writeFileSync } from "node:fs";
import { connect as connectTcp } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { connect, createServer, type TLSSocket } from "node:tls";
import type { Certificates } from "../../src/server/certificates.ts";
import { FIRST, SECOND } from "../world/certificates.ts";
import { statusOf } from "../world/raw_http.ts";
import { listenOn, makeWorld, TestClient, TestServer } from "../world/world.ts";

const answer = (socket: import("node:net").Socket) =>
  socket.on("data", (bytes) => {
    const proto = /X-Forwarded-Proto: (\w+)/.exec(bytes.toString())?.[1] ?? "";
    socket.write(`HTTP/1.1 200 OK\r\nContent-Length: ${proto.length}\r\n\r\n${proto}`);
  });

function install(server: TestServer, { key, cert }: Certificates): void {
  const folder = server.config.server.certificates;
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of [["server.key", key], ["server.crt", cert]] as const) {
    writeFileSync(join(folder, `${name}.new`), text, { mode: 0o600 });
    renameSync(join(folder, `${name}.new`), join(folder, name));
  }
}

/** Connects with TLS; the certificate has to be `expected`'s. */
function connectTls(port: number, expected: Certificates, options: object = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect(
      { port, host: "127.0.0.1", servername: "localhost", ca: [expected.cert], ...options },
      () => resolve(socket),
    );
    socket.on("error", reject);
  });
}

function ask(socket: TLSSocket, host: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let received = "";
    socket.on("data", (bytes) => received += bytes);
    socket.on("end", () => resolve(received));
    socket.on("error", reject);
    socket.write(`GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`);
  });
}

/** A world whose server found certificates when it started. */
async function secureWorld(t: test.TestContext) {
  const world = await makeWorld(t, answer);
  install(world.server, FIRST);
  await world.server.logged(({ msg }) => msg.startsWith("HTTPS proxy listens"));
  return { ...world, port: world.server.running.secureProxyPort as number };
}

test("the HTTPS proxy is closed without certificates, and opens when they come", async (t) => {
  const world = await makeWorld(t, answer);
  assert.equal(world.server.log.some(({ msg }) => msg.startsWith("HTTPS proxy listens")), false);
  install(world.server, FIRST);
  await world.server.logged(({ msg }) => msg.startsWith("HTTPS proxy listens"));
  const socket = await connectTls(world.server.running.secureProxyPort as number, FIRST);
  const received = await ask(socket, world.id);
  assert.equal(statusOf(received), 200);
  assert.ok(received.endsWith("\r\n\r\nhttps"), "the service is told that the caller came by HTTPS");
});

test("a renewed certificate is used for new connections without a restart, and open ones go on", async (t) => {
  const { server, id, port } = await secureWorld(t);
  const before = await connectTls(port, FIRST);
  install(server, SECOND);
  await server.logged(({ msg }) => msg.includes("uses the new certificates"));
  const after = await connectTls(port, SECOND);
  assert.equal(after.getPeerX509Certificate()?.toString(), new X509Certificate(SECOND.cert).toString());
  assert.equal(statusOf(await ask(after, id)), 200);
  assert.equal(statusOf(await ask(before, id)), 200);
});

test("a key that does not belong to the certificate is refused, and the old pair stays in use", async (t) => {
  const { server, id, port } = await secureWorld(t);
  install(server, { ...SECOND, key: FIRST.key });
  const line = await server.logged(({ code }) => code === "certificates-invalid");
  assert.match(line.msg, /server\.key is not the key of server\.crt; the HTTPS proxy goes on as before/);
  assert.equal(statusOf(await ask(await connectTls(port, FIRST), id)), 200);
});

test("a server whose certificates are damaged does not start", async (t) => {
  const server = new TestServer(t);
  install(server, { ...FIRST, cert: "not a certificate" });
  await assert.rejects(server.start(), { code: "certificates-invalid" });
});

test("TLS 1.1 is refused, and plain HTTP on the HTTPS port ends that connection only", async (t) => {
  const { server, id, port } = await secureWorld(t);
  await assert.rejects(connectTls(port, FIRST, { minVersion: "TLSv1", maxVersion: "TLSv1.1" }));
  const plain = connectTcp(port, "127.0.0.1");
  plain.on("error", () => {});
  plain.write(`GET / HTTP/1.1\r\nHost: ${id}\r\n\r\n`);
  await new Promise((resolve) => plain.on("close", resolve).resume());
  await server.logged(({ code }) => code === "tls-handshake");
  assert.equal(statusOf(await ask(await connectTls(port, FIRST), id)), 200);
});

test("an answer that breaks off is not taken for complete over TLS either", async (t) => {
  const world = await makeWorld(t, (socket) => {
    socket.once(
      "data",
      () => socket.write("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf", () => socket.resetAndDestroy()),
    );
  });
  install(world.server, FIRST);
  await world.server.logged(({ msg }) => msg.startsWith("HTTPS proxy listens"));
  const socket = await connectTls(world.server.running.secureProxyPort as number, FIRST);
  let received = "";
  socket.on("data", (bytes) => received += bytes);
  socket.on("error", () => {});
  socket.write(`GET / HTTP/1.1\r\nHost: ${world.id}\r\n\r\n`);
  await new Promise((resolve) => socket.on("close", resolve));
  assert.ok(received.endsWith("half"));
});

test("a service behind TLS is reached, and its certificate is verified", async (t) => {
  const service = createServer({ key: FIRST.key, cert: FIRST.cert }, (socket) => {
    socket.on("error", () => {});
    socket.once("data", () => socket.end("secret"));
  });
  service.on("tlsClientError", () => {});
  const servicePort = await listenOn(service);
  t.after(() => service.close());
  const server = await new TestServer(t).start();
  const client = await new TestClient(t, server, servicePort).register(server.joinCode());
  client.config.client.local.tls = true;
  await client.start();
  const caller = connectTcp(client.registered.registeredPort, "127.0.0.1");
  caller.on("error", () => {});
  await new Promise((resolve) => caller.on("close", resolve).resume());
  const line = await client.logged(({ code }) => code === "service-certificate");
  assert.match(line.msg, /SELF_SIGNED|self.signed|UNABLE_TO_VERIFY/i);
});
