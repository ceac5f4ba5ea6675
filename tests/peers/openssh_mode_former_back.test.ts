import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import type { TestContext } from "node:test";
import { eventually } from "../world/eventually.ts";
import { configure } from "../world/executable.ts";
import { freePort } from "../world/ports.ts";
import { exchange, statusOf } from "../world/raw_http.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { startService } from "../world/world.ts";
import { FORMER_CLIENT } from "./former.ts";
import { FormerClient } from "./former_client.ts";
import { isServed } from "./former_world.ts";
import { initOpensshMode, NEEDS } from "./openssh_mode.ts";
import { peerTest, program } from "./peer_test.ts";
import { sessionsOf } from "./sshd.ts";

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello";

/** A client of 0.6.34 with two tenants, both served through sshd. */
async function makeWorld(t: TestContext, launcher: readonly string[] = []) {
  const web = await startService(t, new AnsweringService(OK).accept);
  const { server, sshd, backPort } = await initOpensshMode(t, {
    sshd: { settings: ["PubkeyAcceptedAlgorithms +ssh-rsa"] },
    server: { "server.legacyBackchannel": true, "server.backHost": "127.0.0.1", "server.registration": "open" },
  });
  server.launcher = launcher;
  await server.start();
  const client = await FormerClient.init(t, { sshPort: sshd.port, backPort, username: sshd.user });
  const ids = [(await client.register(web.port)).id, (await client.register(web.port, "second")).id];
  await client.start();
  for (const id of ids) await isServed(server, id);
  const sessions = sessionsOf(sshd.process.child.pid as number);
  assert.ok(sessions.length >= 2);
  /** It has what it had, and callers reach it. */
  const isBack = async () => {
    for (const id of ids) {
      const get = `GET / HTTP/1.1\r\nHost: ${id}.example.com\r\nConnection: close\r\n\r\n`;
      await eventually("served again", async () => statusOf(await exchange(server.proxyPort, get)) === 200);
    }
    assert.equal(client.heals, false, client.process.lines.join("\n"));
    assert.deepEqual([client.registration().id, client.registration("second").id], ids);
  };
  return { server, client, sessions, ids, isBack };
}

peerTest(
  "a client of 0.6.34 that was killed gets its port back from a session of sshd that hangs, and does not heal itself",
  [...NEEDS, ...FORMER_CLIENT],
  async (t) => {
    const { client, sessions, isBack } = await makeWorld(t);
    for (const session of sessions) process.kill(session, "SIGSTOP");
    await client.process.stop("SIGKILL");
    await client.start();
    await isBack();
  },
);

peerTest(
  "a client of 0.6.34 whose machine lost power gets its port back, though nothing has told the server or sshd",
  [...NEEDS, ...FORMER_CLIENT],
  async (t) => {
    const { server, client, ids, isBack } = await makeWorld(t);
    const lost = client.process;
    // Its connections stay as they are, as those do whose machine is gone.
    lost.child.kill("SIGSTOP");
    for (const file of ["client.lock", "client.pid"]) rmSync(join(client.folder, file));
    configure(client.config, { "client.listenPort": await freePort(), "client.apiPort": await freePort() });
    try {
      await client.start();
      await isBack();
    } finally {
      await lost.stop("SIGKILL");
    }
    for (const id of ids) {
      await server.daemon.logged(({ msg }) => msg === `${id} took over from its older tunnel`);
    }
  },
);

peerTest(
  "a server that may not end sessions of sshd has a client of 0.6.34 try again, until sshd has ended its older one",
  [...NEEDS, ...FORMER_CLIENT, "setpriv", { name: "root", met: () => process.getuid?.() === 0 }],
  async (t) => {
    const launcher = [program("setpriv"), "--bounding-set", "-sys_ptrace,-kill"];
    const { server, client, sessions, isBack } = await makeWorld(t, launcher);
    for (const session of sessions) process.kill(session, "SIGSTOP");
    await client.process.stop("SIGKILL");
    const daemon = client.launch();
    await eventually("it has tried twice", () => client.count("Will retry in 2 seconds") >= 2);
    const told = server.daemon.log.filter(({ code }) => code === "port-held");
    assert.equal(told.length, 2, "once for each registration");
    assert.match(String(told[0]?.["hint"]), /ClientAliveInterval/);
    assert.ok(daemon.alive);
    for (const session of sessions) process.kill(session, "SIGKILL");
    await isBack();
  },
);
