import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { connect, type ConnectionOptions, type TLSSocket } from "node:tls";
import type { OwnAccess } from "../../src/registry/access.ts";
import { echoHead, grant } from "../world/access.ts";
import { FIRST } from "../world/certificates.ts";
import * as clients from "../world/client_certificates.ts";
import { exchange, head, statusOf, takeAnswer } from "../world/raw_http.ts";
import { RawPeer } from "../world/raw_peer.ts";
import { addTenant } from "../world/tenants.ts";
import { asking, SWITCHING } from "../world/websocket.ts";
import { startService, TestClient, TestServer, type World } from "../world/world.ts";

/** A world with an HTTPS proxy that asks for client certificates, and a registration that wants one. */
async function mutual(
  t: TestContext,
  rule: OwnAccess = { require: ["certificate"] },
  service = echoHead,
): Promise<Pick<World, "server" | "client" | "id" | "proxyPort"> & { port: number; ca: string }> {
  const { port: servicePort } = await startService(t, service);
  const server = new TestServer(t, "", '[server.access]\nclientCa = "./clients.pem"\n');
  const ca = join(server.folder, "clients.pem");
  writeFileSync(ca, clients.CA);
  const folder = server.config.server.certificates;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, "server.key"), FIRST.key, { mode: 0o600 });
  writeFileSync(join(folder, "server.crt"), FIRST.cert);
  await server.start();
  const client = await new TestClient(t, server, servicePort).register(server.joinCode());
  await client.start();
  const id = client.registered.registeredId;
  const { control, proxyPort, secureProxyPort } = server.running;
  control.access.set(id, rule);
  return { server, client, id, proxyPort, port: secureProxyPort as number, ca };
}

async function open(port: number, options: ConnectionOptions = {}): Promise<RawPeer> {
  const socket = await new Promise<TLSSocket>((resolve, reject) => {
    const socket = connect({ port, host: "127.0.0.1", servername: "localhost", ca: [FIRST.cert], ...options }, () => {
      socket.off("error", reject);
      resolve(socket);
    });
    socket.once("error", reject);
  });
  return new RawPeer(socket);
}

/** Status and code of the answer to a GET on this connection. */
async function ask(peer: RawPeer, host: string, ...lines: string[]): Promise<string> {
  peer.send(head("GET / HTTP/1.1", `Host: ${host}`, ...lines));
  const { status, body } = await takeAnswer(peer);
  return [status, /"code":"([^"]*)"/.exec(body)?.[1]].join(" ").trim();
}

async function askOnce(
  port: number,
  host: string,
  options: ConnectionOptions = {},
  ...lines: string[]
): Promise<string> {
  const peer = await open(port, options);
  const answer = await ask(peer, host, ...lines);
  peer.close();
  return answer;
}

const VERSIONS = [{ maxVersion: "TLSv1.2" }, { minVersion: "TLSv1.3" }] as const satisfies ConnectionOptions[];

test("a certificate that the CA has signed lets in; none, another CA's, a self-signed and an expired one do not", async (t) => {
  const { port, id, proxyPort } = await mutual(t);
  for (const version of VERSIONS) {
    assert.equal(await askOnce(port, id, { ...clients.ANN, ...version }), "200");
    assert.equal(await askOnce(port, id, version), "403 certificate-missing");
    for (const [name, wrong] of Object.entries(clients.WRONG)) {
      assert.equal(await askOnce(port, id, { ...wrong, ...version }), "403 certificate-refused", name);
    }
  }
  const plain = await exchange(proxyPort, head("GET / HTTP/1.1", `Host: ${id}`, "Connection: close"));
  assert.equal(statusOf(plain), 403);
  assert.match(plain, /"certificate-missing"/);
});

test("a rule may name whose certificates it takes: by name, DNS name, address or fingerprint", async (t) => {
  const { server, port, id } = await mutual(t);
  const { access } = server.running.control;
  const good = ["ann", "ann.example.com", "ann@example.com", `sha256:${clients.ANN_FINGERPRINT}`];
  for (const name of [...good, `SHA256:${clients.ANN_FINGERPRINT.toUpperCase()}`]) {
    access.set(id, { require: ["certificate"], certificates: ["somebody else", name] });
    assert.equal(await askOnce(port, id, clients.ANN), "200", name);
    assert.equal(await askOnce(port, id, clients.BOB), "403 certificate-refused", name);
  }
  for (const name of ["an", "Ann", "example.com", "x.ann.example.com", "*.example.com", `sha256:${"0".repeat(64)}`]) {
    access.set(id, { require: ["certificate"], certificates: [name] });
    assert.equal(await askOnce(port, id, clients.ANN), "403 certificate-refused", name);
  }
});

test("the name in the handshake is not what is asked for: each request is judged by its own Host", async (t) => {
  const world = await mutual(t, {});
  const { port: servicePort } = await startService(t, echoHead);
  const { registeredId: guarded } = await addTenant(world.client, world.server, "guarded", { port: servicePort });
  await world.client.running.control.reload(world.client.config.client);
  world.server.running.control.access.set(guarded, { require: ["certificate"] });
  const peer = await open(world.port, { servername: `${world.id}.localhost`, checkServerIdentity: () => undefined });
  assert.equal(await ask(peer, world.id), "200");
  assert.equal(await ask(peer, guarded), "403 certificate-missing");
  assert.equal(await ask(peer, `${guarded}.localhost`), "403 certificate-missing");
  assert.equal(await ask(peer, world.id), "200");
  peer.close();
});

test("a certificate and a token where both are wanted", async (t) => {
  const { server, port, id } = await mutual(t, { require: ["certificate", "bearer"] });
  const { shown } = await grant(server, id);
  const line = `Authorization: ${shown}`;
  assert.equal(await askOnce(port, id, clients.ANN, line), "200");
  assert.equal(await askOnce(port, id, clients.ANN), "401 credentials-missing");
  assert.equal(await askOnce(port, id, {}, line), "403 certificate-missing");
});

test("what was verified against a CA counts no more once it is another one, not even in a resumed session", async (t) => {
  const { server, port, id, ca } = await mutual(t, { require: ["certificate"] }, (socket) => {
    socket.once("data", (bytes) => {
      if (String(bytes).includes("Upgrade: websocket")) socket.write(SWITCHING);
      else socket.end(head("HTTP/1.1 200 OK", "Content-Length: 0"));
    });
  });
  const sessions: Buffer[] = [];
  for (const version of VERSIONS) {
    const peer = await open(port, { ...clients.ANN, ...version });
    (peer.socket as TLSSocket).on("session", (session) => sessions.push(session));
    assert.equal(await ask(peer, id), "200");
    peer.close();
    const session = sessions.at(-1) as Buffer;
    assert.equal(await askOnce(port, id, { ...version, session }), "200", "a session stands for its certificate");
  }
  const idle = await open(port, clients.ANN);
  assert.equal(await ask(idle, id), "200");
  const upgraded = await open(port, clients.ANN);
  upgraded.send(asking(id));
  assert.equal(statusOf(await upgraded.takeHead()), 101);
  writeFileSync(`${ca}.new`, clients.OTHER_CA);
  renameSync(`${ca}.new`, ca);
  await Promise.all([idle.closed, upgraded.closed]);
  await server.logged(({ code }) => code === "access-revoked");
  for (const version of VERSIONS) {
    assert.equal(await askOnce(port, id, { ...clients.ANN, ...version }), "403 certificate-refused");
    assert.equal(await askOnce(port, id, { ...clients.WRONG.anotherCa, ...version }), "200");
    for (const session of sessions) {
      assert.match(await askOnce(port, id, { ...version, session }), /^403 certificate-/);
    }
  }
  // A file that is no use changes nothing.
  writeFileSync(ca, "no certificate at all");
  await server.logged(({ code }) => code === "client-ca-invalid");
  assert.equal(await askOnce(port, id, clients.WRONG.anotherCa), "200");
  assert.match(readFileSync(ca, "utf8"), /^no certificate/);
});
