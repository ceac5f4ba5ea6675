import assert from "node:assert/strict";
import { chmodSync, chownSync, mkdirSync, statSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import process from "node:process";
import type { TestContext } from "node:test";
import { listeningSockets } from "../../src/platform/listening_sockets.ts";
import { openRegistry } from "../../src/registry/open_registry.ts";
import { eventually } from "../world/eventually.ts";
import { exchange, statusOf } from "../world/raw_http.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { temporaryFolder } from "../world/temporary_folder.ts";
import { listenOn } from "../world/world.ts";
import { makeSshdWorld, NEEDS, type SshdWorld } from "./openssh_mode.ts";
import { peerTest } from "./peer_test.ts";
import { sessionsOf } from "./sshd.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";
const getOnce = (host: string) => `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

/** One that is on every machine. */
const ACCOUNT = { name: "nobody", uid: 65534, gid: 65534 };

/** A server that runs as root, whose clients log in to sshd as another account, with a file of keys in a folder of that account's. */
async function makeAccountWorld(t: TestContext, start: boolean, holdFor = "10s"): Promise<SshdWorld> {
  const folder = temporaryFolder(t);
  chmodSync(folder, 0o755);
  const home = join(folder, "home");
  mkdirSync(home);
  chownSync(home, ACCOUNT.uid, ACCOUNT.gid);
  return await makeSshdWorld(t, new AnsweringService(OK).accept, {
    start,
    sshd: { authorizedKeys: join(home, ".ssh", "authorized_keys") },
    server: `holdFor = "${holdFor}"\n`,
    ssh: `sshdUser = "${ACCOUNT.name}"\n`,
    client: 'serverAliveInterval = "1s"\nserverAliveCountMax = 1\nreconnectDelayMax = "1s"\n',
  });
}

const needs = [...NEEDS, { name: "root", met: () => process.getuid?.() === 0 }];

peerTest(
  "sshd listens as the account that clients log in as, and a session of it that hangs is ended",
  needs,
  async (t) => {
    const { sshd, server, id, rawPort, proxyPort, host } = await makeAccountWorld(t, true);
    assert.equal(statusOf(await exchange(proxyPort, getOnce(host))), 200);
    assert.equal(listeningSockets().find(({ port }) => port === rawPort)?.uid, ACCOUNT.uid);
    assert.equal(statSync(sshd.authorizedKeys).uid, ACCOUNT.uid);
    for (const session of sessionsOf(sshd.process.child.pid as number)) process.kill(session, "SIGSTOP");
    await server.logged((line) => line["id"] === id && line.msg.includes("took over from its older tunnel"));
    await eventually("it is served again", async () => statusOf(await exchange(proxyPort, getOnce(host))) === 200);
  },
);

peerTest("a service of root's on a registration's port gets no caller, and its client is told", needs, async (t) => {
  const { server, client, id, rawPort, proxyPort, host } = await makeAccountWorld(t, false);
  let callers = 0;
  const service = createServer((socket) => {
    callers++;
    socket.destroy();
  });
  await listenOn(service, rawPort);
  t.after(() => service.close());
  await server.logged((line) => line.code === "port-not-sshd" && line["id"] === id);
  client.launch();
  await client.logged(({ msg }) => /Another program of the server's machine \(user 0\) listens on port/.test(msg));
  assert.equal(callers, 0);
  await new Promise((resolve) => service.close(resolve));
  assert.equal(statusOf(await exchange(proxyPort, getOnce(host))), 200);
});

peerTest("a registration whose port is sshd's own is not served", needs, async (t) => {
  const { sshd, server, client, proxyPort } = await makeAccountWorld(t, true, "0s");
  const registry = openRegistry(server.config.server.registryUrl);
  const [own] = registry.registrations();
  assert.ok(own !== undefined);
  const { key, fingerprint } = own;
  const imported = { id: "90001", port: sshd.port, key, fingerprint, brand: "ce", aliases: [], vitae: null };
  assert.deepEqual(registry.import([imported], { now: Date.now() }).conflicts, []);
  registry.close();
  await server.logged((line) => line.code === "port-reserved");
  assert.equal(server.running.control.statusOf("90001").tunnel, null);
  assert.equal(statusOf(await exchange(proxyPort, getOnce("90001.example.com"))), 503);
  assert.ok(sshd.process.alive && client.running !== undefined);
});
