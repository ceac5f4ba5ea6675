import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import type { ClientStatus } from "../../src/client/client_status.ts";
import { eventually } from "../world/eventually.ts";
import { configure, Daemon, petit, startExecutables } from "../world/executable.ts";
import { head, RawCaller, takeAnswer } from "../world/raw_http.ts";
import { startService, temporaryFolder } from "../world/world.ts";
import { registeredClient } from "./registered_client.ts";

/** A server, a client that runs, and a service that echoes. */
async function runningWorld(t: test.TestContext) {
  const service = await startService(t, (socket) => socket.pipe(socket));
  const world = await startExecutables(t, service.port);
  const client = (...args: string[]) => petit(["client", ...args, "-c", world.client.config]);
  const status = async () => JSON.parse((await client("status", "--json")).stdout) as ClientStatus;
  const echoes = async () => {
    const caller = new RawCaller(world.rawPort).send("x");
    const echo = await caller.take(1).catch(() => "");
    caller.close();
    return echo === "x";
  };
  return { ...world, run: client, status, echoes };
}

test("pause and resume: a client that runs is told, and callers with it", async (t) => {
  const { run, status, echoes, rawPort, proxyPort, host, client } = await runningWorld(t);
  const caller = new RawCaller(rawPort);
  assert.equal(await caller.send("a").take(1), "a");
  const { code, stdout } = await run("pause");
  assert.equal(code, 0);
  assert.match(stdout, /^This client is paused since .*\. Connections that were ended: 1\n$/);
  assert.equal(await caller.closed, "ECONNRESET");
  const { paused } = await status();
  assert.notEqual(paused, null);
  assert.match((await run("status")).stdout, /^PAUSED since .*: nobody is let in; "petit client resume" ends that\n/);
  assert.match((await run("tenants")).stdout, /\ndefault .* paused\n/);
  assert.equal(await echoes(), false);
  const answer = await takeAnswer(new RawCaller(proxyPort).send(head("GET / HTTP/1.1", `Host: ${host}`)));
  assert.equal(JSON.parse(answer.body).code, "paused");

  await client.daemon.stop();
  client.daemon = new Daemon(["client", "-c", client.config], { HOME: client.folder });
  await client.daemon.logged(({ code, msg }) => code === "paused" && msg.includes("lets nobody in"));
  await client.daemon.logged(({ msg }) => msg.includes("REST API"));
  assert.equal((await status()).paused, paused);
  assert.deepEqual(JSON.parse((await run("resume", "--json")).stdout), { paused: [], daemon: "told" });
  assert.equal(await echoes(), true);
  const inbound = await run("inbound", "--json");
  assert.match(inbound.stdout, /"outcome":"paused"/);
  assert.match(
    (await run("inbound")).stdout,
    /^AT .*\n[^]* 127\.0\.0\.1:\d+ +default +127\.0\.0\.1:\d+ +1 +1 +[\d.]+ +paused\n/,
  );
  assert.equal((await run("inbound", "-n", "1")).stdout.trim().split("\n").length, 2);
  assert.equal((await run("inbound", "-n", "0")).code, 2);
});

test("pause: a mistake in the config does not keep the switch from working", async (t) => {
  const { run, echoes, client } = await runningWorld(t);
  writeFileSync(client.config, `${readFileSync(client.config, "utf8")}\n[broken\n`);
  assert.equal((await run("pause", "--drain")).code, 0);
  assert.equal(await echoes(), false);
});

test("pause and resume: a restart that takes over does not resume", async (t) => {
  const { run, status, echoes, client } = await runningWorld(t);
  await run("pause");
  const { pid, paused } = await status();
  assert.equal((await run("restart")).code, 0);
  const now = await status();
  assert.notEqual(now.pid, pid);
  assert.equal(now.paused, paused);
  await run("resume");
  await eventually("it is resumed", echoes);
  assert.equal((await run("stop")).code, 0);
  assert.equal(existsSync(join(client.folder, "paused")), false);
});

test("pause and resume: for a client that does not run they are for when it does", async (t) => {
  const { client, run } = await registeredClient(t);
  const { code, stdout } = await run("pause");
  assert.equal(code, 0);
  assert.match(stdout, /^This client is paused since .*\.\nIt does not run; it lets nobody in when it is started\.\n$/);
  const first = JSON.parse((await run("pause", "--json")).stdout);
  assert.deepEqual([first.ended, first.daemon], [0, "not running"]);
  assert.deepEqual(JSON.parse((await run("pause", "--json")).stdout), first);
  assert.equal(JSON.parse((await run("tenants", "--json")).stdout)[0].paused, first.paused);
  client.takeFreePorts();
  const started = await run("start");
  assert.equal(started.code, 0, started.stderr);
  assert.match(started.stdout, /^The client is running, process \d+\nPAUSED, so that nobody is let in: default\n$/);
  assert.equal((await run("stop")).code, 0);
  assert.equal((await run("pause", "-t", "default")).code, 0);
  assert.match(
    (await run("resume")).stdout,
    /lets callers in when it is started\.\nStill paused by themselves; .*: default\n$/,
  );
  assert.deepEqual(JSON.parse((await run("resume", "-t", "default", "--json")).stdout), {
    paused: [],
    daemon: "not running",
  });
  assert.equal(existsSync(join(client.folder, "paused")), false);
});

test("pause and resume: what is wrong is told with the exit code of it, and nothing is paused", async (t) => {
  const { client, run } = await registeredClient(t);
  for (
    const [exit, told, ...args] of [
      [2, /There is no tenant "nobody"/, "pause", "-t", "nobody"],
      [2, /"\.\.\/x" cannot name a tenant/, "pause", "-t", "../x"],
      [2, /There is no tenant "nobody"/, "resume", "-t", "nobody"],
      [2, /"now" is one argument too many/, "pause", "now"],
      [2, /Did you mean "--drain"/, "pause", "--drian"],
      [2, /--drain/, "resume", "--drain"],
    ] as const
  ) {
    const { code, stderr } = await run(...args);
    assert.equal(code, exit, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, told);
  }
  assert.equal(existsSync(join(client.folder, "paused")), false);
  const elsewhere = await petit(["client", "pause", "-c", join(temporaryFolder(t), "config.toml")]);
  assert.equal(elsewhere.code, 2);
  assert.match(elsewhere.stderr, /There is no config file/);
});

test("allow: a config, a lease and a check tell of a service that is not in the list", async (t) => {
  const { client, run } = await registeredClient(t);
  assert.equal((await run("config", "allow.services", "localhost:1,10.1.2.3:*")).code, 0);
  assert.equal((await run("config", "allow.services", "localhost")).code, 2);
  assert.equal((await run("config", "allow.services")).stdout, "localhost:1,10.1.2.3:*\n");
  const lease = await run("lease", "-t", "shop", "-l", "10.1.2.4", "-p", "80");
  assert.equal(lease.code, 2);
  assert.match(lease.stderr, /Tenant "shop" may not lead to 10\.1\.2\.4:80: it is not in \[client\.allow\] services/);
  assert.equal(existsSync(join(client.folder, "tenants/shop")), false);
  assert.equal((await run("lease", "-t", "shop", "-l", "10.1.2.3", "-p", "80")).code, 0);
  const check = JSON.parse((await run("check", "-t", "default", "--json")).stdout);
  assert.equal(check.items.find(({ name }: { name: string }) => name === "service").code, "service-not-allowed");
  configure(client.config, { "client.allow.services": "x" });
  assert.match((await run("check")).stdout, /client\.allow\.services/);
});
