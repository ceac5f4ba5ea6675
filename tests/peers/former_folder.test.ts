import assert from "node:assert/strict";
import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { temporaryFolder } from "../world/temporary_folder.ts";
import { Detached } from "../world/detached.ts";
import { eventually } from "../world/eventually.ts";
import { configure, petit } from "../world/executable.ts";
import { startWord } from "../world/word_service.ts";
import { clientCommand, fingerprintOf, get } from "./client_of_former.ts";
import { FORMER_CLIENT, FORMER_SERVER } from "./former.ts";
import { FormerClient, type FormerTarget } from "./former_client.ts";
import { FormerServer } from "./former_server.ts";
import { serverOfFormer } from "./former_world.ts";
import { peerTest } from "./peer_test.ts";

/** A client of 0.6.34 with two tenants that was killed, and with it its lock file and the rest of what it leaves. */
async function leftBehind(t: TestContext, target: FormerTarget): Promise<FormerClient & { readonly daemon: Detached }> {
  const made: { daemon?: Detached } = {};
  // Before its folder goes.
  t.after(() => made.daemon?.kill());
  const former = await FormerClient.init(t, target);
  await former.register(await startWord(t, "first"));
  await former.register(await startWord(t, "second"), "9f3ac07be21d5564");
  await former.start();
  await former.process.stop("SIGKILL");
  for (const left of ["client.lock", "client.pid", "key", "endpoint", "logs", "config.toml"]) {
    assert.ok(existsSync(join(former.folder, left)), left);
  }
  writeFileSync(join(former.folder, "healing"), '{"lastAttempt": 1, "attempts": 1}\n');
  made.daemon = new Detached("client", former.folder, former.config);
  return Object.assign(former, { daemon: made.daemon });
}

/** What a client has logged, of all its processes. */
function logOf(folder: string): Record<string, unknown>[] {
  const files = readdirSync(join(folder, "logs")).filter((name) => name.startsWith("client.log"));
  return files.flatMap((name) => readFileSync(join(folder, "logs", name), "utf8").split("\n")).flatMap((line) => {
    try {
      return [JSON.parse(line) as Record<string, unknown>];
    } catch {
      return [];
    }
  });
}

peerTest("a folder that a 0.6.34 client has left behind just works, with its server", FORMER_SERVER, async (t) => {
  const server = await (await FormerServer.make(t)).start();
  const { folder, config, daemon } = await leftBehind(t, server.target);
  const client = { config };
  const before = readFileSync(config, "utf8");
  const first = JSON.parse(readFileSync(join(folder, "tenants/first/registration"), "utf8"));
  const second = JSON.parse(readFileSync(join(folder, "tenants/9f3ac07be21d5564/registration"), "utf8"));

  const looked = JSON.parse((await petit(["client", "check", "-c", config, "--json"])).stdout);
  assert.equal(looked.ok, true, JSON.stringify(looked));
  assert.ok(!existsSync(join(folder, "known_hosts")), "who only looks pins nothing");

  const started = await daemon.start();
  assert.equal(started.ready, true);
  assert.deepEqual(
    started.endpoints.toSorted(),
    [first, second].map(({ id }) => `http://${id}.localhost:${server.proxyPort}`).toSorted(),
  );
  assert.match(await get(server.proxyPort, first.id), /200[^]*first$/);
  assert.match(await get(second.port, second.id), /200[^]*second$/);
  assert.equal(readFileSync(config, "utf8"), before);
  const tenants = JSON.parse(await clientCommand(client, "tenants", "--json"));
  assert.deepEqual(
    tenants.map(({ tenant, id, port, served }: Record<string, unknown>) => ({ tenant, id, port, served })),
    [{ tenant: "first", ...first, served: true }, { tenant: "9f3ac07be21d5564", ...second, served: true }],
  );

  // The first host key is taken, told and pinned.
  const fingerprint = await fingerprintOf(server);
  assert.equal(
    readFileSync(join(folder, "known_hosts"), "utf8"),
    `[127.0.0.1]:${server.target.sshPort} ${server.sshd.hostKey}\n`,
  );
  const trusted = logOf(folder).filter(({ code }) => code === "host-key-trusted");
  assert.deepEqual(trusted.map((line) => line["fingerprint"]), [fingerprint]);

  // Another one is not.
  await daemon.run("stop");
  const other = await (await FormerServer.make(t)).start();
  writeFileSync(join(folder, "known_hosts"), `[127.0.0.1]:${server.target.sshPort} ${other.sshd.hostKey}\n`);
  assert.match((await daemon.run("ping")).stderr, /shows another host key/);
  writeFileSync(join(folder, "known_hosts"), "");
  assert.match((await daemon.run("ping")).stderr, /No host key is known/);
});

peerTest(
  "a folder of 0.6.34 just works with a petit server, and nothing of it is plain any more",
  FORMER_CLIENT,
  async (t) => {
    const { server, target } = await serverOfFormer(t);
    const { folder, config, daemon } = await leftBehind(t, target);
    const registration = JSON.parse(readFileSync(join(folder, "tenants/first/registration"), "utf8"));
    // The plain backchannel is of no use to it.
    configure(config, { "client.backPort": 1 });
    // A command that logs in takes the host key too, and tells.
    const ping = () => daemon.run("ping", "-n", "1");
    assert.match((await ping()).stderr, /petit: This folder is one of petit 0\.6.*SHA256:.* was taken on trust/);
    assert.equal((await ping()).stderr, "");
    assert.equal((await daemon.start()).ready, true);
    assert.match(await get(server.proxyPort, registration.id), /200[^]*first$/);
    assert.match(await get(registration.port, registration.id), /200[^]*first$/);
    // Only servers of 0.6.x have the client answer for its service.
    assert.match(await get(server.proxyPort, registration.id, "/-g2c-intercept"), /first$/);
    assert.deepEqual(JSON.parse(readFileSync(join(folder, "legacy_server"), "utf8")), {
      host: "127.0.0.1",
      plain: false,
    });
    const { stdout } = await daemon.run("sping", "-n", "1");
    assert.match(stdout, /2 sent, 2 answered/);
    assert.match((await daemon.run("unregister", "-t", "first")).stdout, /^Unregistered/);
    assert.match((await daemon.run("stop")).stdout, /stopped/);
  },
);

peerTest("on a folder where a 0.6.34 client is running, no other is started", FORMER_SERVER, async (t) => {
  const server = await (await FormerServer.make(t)).start();
  const former = await FormerClient.init(t, server.target);
  await former.register(await startWord(t, "hello"));
  await former.start();
  const { code, stderr } = await petit(["client", "start", "-c", former.config]);
  assert.equal(code, 1);
  assert.match(stderr, /A petit 0\.6 client is running on ".*" already \(process \d+\)/);
  assert.ok(existsSync(join(former.folder, "client.pid")) && former.process.alive);
  // A copy of the folder is another one.
  const copy = temporaryFolder(t);
  cpSync(former.folder, copy, { recursive: true });
  const daemon = new Detached("client", copy, join(copy, "config.toml"));
  configure(daemon.config, { "client.listenPort": 0, "client.apiPort": 0 });
  try {
    assert.equal((await daemon.start()).ready, true);
  } finally {
    await daemon.kill();
  }
});

peerTest("what is damaged in a folder of 0.6.34 is named, with a way out", FORMER_SERVER, async (t) => {
  const server = await (await FormerServer.make(t)).start();
  const { folder, config, daemon } = await leftBehind(t, server.target);
  const spoil = async (name: string, text: string, then: (file: string) => Promise<void>) => {
    const file = join(folder, name);
    const before = readFileSync(file, "utf8");
    writeFileSync(file, text);
    await then(file);
    writeFileSync(file, before);
  };
  const refuses = (wanted: RegExp) => async (file: string) => {
    const { code, stderr } = await daemon.run("start");
    assert.notEqual(code, 0);
    assert.match(stderr, wanted);
    assert.ok(stderr.includes(file), stderr);
  };
  const key = "-----BEGIN RSA PRIVATE KEY-----\nAAAA\n-----END RSA PRIVATE KEY-----\n";
  await spoil("key", key, refuses(/Restore the file from a backup/));
  await spoil("config.toml", `${readFileSync(config, "utf8")}\nthis is`, refuses(/This is not TOML/));
  // One tenant does not take the other down.
  const second = JSON.parse(readFileSync(join(folder, "tenants/9f3ac07be21d5564/registration"), "utf8"));
  await spoil("tenants/first/registration", '{"id":"40', async (file) => {
    await daemon.run("start", "--wait", "0s");
    await eventually("it says so", () => logOf(folder).some(({ code }) => code === "registration-damaged"));
    const told = logOf(folder).find(({ code }) => code === "registration-damaged");
    assert.ok(String(told?.["msg"]).includes(file), String(told?.["msg"]));
    assert.match(String(told?.["hint"]), /Move the file away and register again/);
    await eventually(
      "the other one is served",
      async () => (await get(server.proxyPort, second.id)).endsWith("second"),
    );
  });
  await daemon.run("reload");
  const status = JSON.parse((await daemon.run("tenants", "--json")).stdout);
  assert.deepEqual(status.map(({ served }: { served: boolean }) => served), [true, true]);
});
