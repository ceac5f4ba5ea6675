import assert from "node:assert/strict";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { detachedServer } from "../world/detached.ts";
import { eventually } from "../world/eventually.ts";
import { configure, petit, type ServerProcess } from "../world/executable.ts";
import { freePort } from "../world/processes.ts";
import { startWord } from "../world/word_service.ts";
import { FORMER_CLIENT } from "./former.ts";
import { FormerClient } from "./former_client.ts";
import { isServed, legacySettings, legacyWorld, statusOf } from "./former_world.ts";
import { peerTest } from "./peer_test.ts";

async function ask({ proxyPort }: { proxyPort: number }, id: string): Promise<string> {
  const answer = await fetch(`http://127.0.0.1:${proxyPort}/`, { headers: { host: `${id}.example` } });
  return `${answer.status} ${await answer.text()}`;
}

/** Until a client that was there is there again. */
async function isBack(server: ServerProcess, id: string, times: number): Promise<void> {
  const here = () => server.daemon.log.filter(({ msg }) => msg === `${id} is connected`).length;
  await eventually(`${id} is back`, () => here() >= times);
}

peerTest("a client of 0.6.34 that is stopped and started has the same id and port", FORMER_CLIENT, async (t) => {
  const { server, client, id, port } = await legacyWorld(t, await startWord(t, "ok"));
  assert.match(await client.succeed("stop"), /stopped/);
  await server.daemon.logged(({ msg }) => msg.startsWith(`${id} disconnected`));
  const away = await statusOf(server, id);
  assert.equal(away.connected, false);
  assert.match(`${away.disconnects[0]?.cause}`, /client/);
  await client.start();
  await isBack(server, id, 2);
  assert.deepEqual(client.registration(), { id, port });
  assert.equal(await ask(server, id), "200 ok");
});

peerTest("a client of 0.6.34 comes back to a server that was killed", FORMER_CLIENT, async (t) => {
  const { server, client, id } = await legacyWorld(t, await startWord(t, "ok"), {
    server: { "server.holdFor": "10s" },
  });
  for (let round = 0; round < 2; round++) {
    await server.kill();
    await eventually("it notices", () => client.count("Client closed.") > round);
    await server.start();
    assert.equal(await ask(server, id), "200 ok", "whoever comes meanwhile waits for it");
  }
  assert.equal(client.heals, false);
  assert.equal(client.count("Tunnel connected."), 3);
});

peerTest("a restart of the server costs callers of a client of 0.6.34 nothing but time", FORMER_CLIENT, async (t) => {
  const backPort = await freePort();
  const daemon = await detachedServer(t, legacySettings(backPort));
  const { server } = daemon;
  await daemon.start();
  const client = await FormerClient.init(t, { sshPort: server.sshPort, backPort, username: "anyone" });
  const { id } = await client.register(await startWord(t, "ok"));
  await client.start();
  await eventually("it is served", async () => (await statusOf(server, id)).connected);
  const answers: string[] = [];
  let over = false;
  const callers = Array.from({ length: 4 }, async () => {
    while (!over) {
      answers.push(await ask(server, id));
      await sleep(20);
    }
  });
  for (let round = 1; round <= 2; round++) {
    const { code, stderr } = await daemon.run("restart");
    assert.equal(code, 0, stderr);
    await eventually("it is back", () => client.count("Tunnel connected.") > round);
    await eventually("it is served", async () => (await statusOf(server, id)).connected);
  }
  over = true;
  await Promise.all(callers);
  const failed = answers.filter((answer) => answer !== "200 ok");
  assert.deepEqual([failed.length, failed[0]], [0, undefined]);
  assert.ok(answers.length > 20);
  assert.equal(client.heals, false);
  assert.equal((await daemon.run("stop")).code, 0);
});

peerTest(
  "a client of 0.6.34 that an operator disconnects comes back, and one that is unregistered is told so",
  FORMER_CLIENT,
  async (t) => {
    const { server, client, id } = await legacyWorld(t, await startWord(t, "ok"));
    const operator = (...words: string[]) => petit(["server", ...words, "-c", server.config]);
    const disconnected = await operator("disconnect", id);
    assert.equal(disconnected.code, 0, disconnected.stderr);
    await isBack(server, id, 2);
    assert.match(`${(await statusOf(server, id)).disconnects[0]?.cause}`, /operator/);
    const unregistered = await operator("unregister", id);
    assert.equal(unregistered.code, 0, unregistered.stderr);
    await eventually("it is told", () => client.count("This server has no registration") > 0);
    await server.daemon.logged(({ code }) => code === "registration-unknown");
    assert.equal((await ask(server, id)).slice(0, 3), "404");
    assert.equal(client.heals, false);
    // It has lost nothing of its own: its key is known, and so is what it had.
    rmSync(join(client.folder, "tenants", "first", "registration"));
    await client.succeed("register", "-t", "first");
    assert.equal(client.registration().id, id);
  },
);

peerTest(
  "of two clients of 0.6.34 with the same key and id the later one wins, and both logs say so",
  FORMER_CLIENT,
  async (t) => {
    const { server, target, client, id } = await legacyWorld(t, await startWord(t, "first"));
    const copy = await FormerClient.init(t, target);
    for (const name of ["key", "tenants"]) {
      cpSync(join(client.folder, name), join(copy.folder, name), {
        recursive: true,
      });
    }
    configure(join(copy.folder, "tenants", "first", "config.toml"), { "local.port": await startWord(t, "copy") });
    // As it would have been made at its first start, which fails of making it.
    mkdirSync(join(copy.folder, "logs"));
    copy.launch();
    const said = await server.daemon.logged(({ code }) => code === "taken-over");
    assert.match(said.msg, new RegExp(`^${id}: a client at 127.0.0.1 took over from the one at 127.0.0.1`));
    await isBack(server, id, 2);
    assert.equal(await ask(server, id), "200 copy");
    await eventually("the older one says so", () => client.count("Backchannel closed.") > 0);
    await client.stop();
    await copy.stop();
    assert.deepEqual([client.heals, copy.heals], [false, false]);
  },
);

peerTest("heartbeat and loopback of a client of 0.6.34 succeed", FORMER_CLIENT, async (t) => {
  const { client, server, id } = await legacyWorld(t, await startWord(t, "ok"), {
    env: { NODE_OPTIONS: `--no-deprecation --require ${join(import.meta.dirname, "former_clock.cjs")}` },
  });
  for (let n = 1; n <= 2; n++) {
    await eventually("its heart beats", () => client.count("Heartbeat success: true") >= n);
    await eventually("its loop is closed", () => client.count("Loopback success: true") >= n);
    // Requests of others leave channels behind.
    for (let m = 0; m < 5; m++) assert.equal(await ask(server, id), "200 ok");
  }
  assert.equal(client.count("Loopback failure"), 0);
  await isServed(server, id);
});

peerTest(
  "a client of 0.6.34 that is silent for a while is not given up: it would give up its registration",
  FORMER_CLIENT,
  async (t) => {
    const { client, server, id } = await legacyWorld(t, await startWord(t, "ok"), {
      server: { "server.ssh.clientAliveInterval": "500ms" },
    });
    // Others are given up after a second.
    client.process.child.kill("SIGSTOP");
    t.after(() => client.process.child.kill("SIGCONT"));
    await eventually("it is seen to be silent", async () => (await statusOf(server, id)).lights.client.state === "red");
    assert.equal((await statusOf(server, id)).connected, true);
    client.process.child.kill("SIGCONT");
    assert.equal(await ask(server, id), "200 ok");
    assert.equal(client.count("Tunnel connected."), 1);
    assert.equal(client.heals, false);
  },
);
