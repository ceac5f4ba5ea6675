import assert from "node:assert/strict";
import { existsSync, rmSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { eventually } from "../world/eventually.ts";
import { petit, petitExecutable, startExecutables } from "../world/executable.ts";
import { background } from "../world/processes.ts";
import { startService } from "../world/world.ts";
import { registeredClient } from "./registered_client.ts";

const SUMMARY =
  /^(\d+) sent, (\d+) answered, ([\d.]+)% lost(?:, min\/avg\/max\/mdev [\d.]+\/[\d.]+\/[\d.]+\/[\d.]+ ms)?$/m;

test("client ping: a line for each answer and the summary, without a daemon", async (t) => {
  const { run, server } = await registeredClient(t);
  const { code, stdout, stderr } = await run("ping", "-n", "3", "-i", "0.01");
  assert.equal(code, 0, stderr);
  const lines = stdout.trimEnd().split("\n");
  assert.match(lines[0] as string, new RegExp(`^Logged in at 127\\.0\\.0\\.1:${server.sshPort} in [\\d.]+ ms$`));
  lines.slice(1, 4).forEach((line, i) =>
    assert.match(line, new RegExp(`^Answer from .*: seq=${i + 1} time=[\\d.]+ ms$`))
  );
  assert.deepEqual(SUMMARY.exec(stdout)?.slice(1), ["3", "3", "0"]);
  const json = JSON.parse((await run("ping", "-n", "2", "-i", "0.01", "--json")).stdout);
  assert.deepEqual([json.sent, json.answered, json.loss, json.probes.length], [2, 2, 0, 2]);
  const { min, avg, max } = json.milliseconds;
  assert.ok(min <= avg && avg <= max && json.login > 0);
});

test("client ping: what goes wrong is said exactly", async (t) => {
  const { run, server, client } = await registeredClient(t);
  const wrongs: [args: string[], wanted: RegExp][] = [
    [["-n", "x"], /"x" is not a number of probes/],
    [["-i", "0"], /"0" is not an interval/],
    [["-i", "fast"], /"fast" is not an interval/],
  ];
  for (const [args, wanted] of wrongs) {
    const { code, stderr } = await run("ping", ...args);
    assert.equal(code, 2);
    assert.match(stderr, wanted);
  }
  await petit(["server", "unregister", client.id, "-c", server.config]);
  await eventually("the server has noticed", async () => (await run("ping", "-n", "1")).code === 1);
  assert.match((await run("ping")).stderr, /does not know the key/);
  await server.daemon.stop();
  const gone = await run("ping");
  assert.equal(gone.code, 1);
  assert.match(gone.stderr, new RegExp(`Nothing listens on 127\\.0\\.0\\.1:${server.sshPort}`));
  rmSync(join(client.folder, "key"));
  assert.match((await run("ping")).stderr, /no key yet/);
  assert.ok(!existsSync(join(client.folder, "key")), "none was made");
});

test("client ping: Ctrl-C ends it with the summary, and exit code 0 where something was answered", async (t) => {
  const { client } = await registeredClient(t);
  const ping = background(t, petitExecutable, ["client", "ping", "-n", "0", "-i", "0.05", "-c", client.config]);
  let printed = "";
  const answered = new Promise<void>((resolve) => {
    ping.child.stdout?.on("data", (bytes: Buffer) => {
      printed += bytes.toString();
      if (printed.includes("seq=2")) resolve();
    });
  });
  await answered;
  ping.child.kill("SIGINT");
  assert.equal(await ping.exited, 0);
  const [, sent, back] = SUMMARY.exec(printed) as unknown as string[];
  assert.ok(Number(sent) >= 2);
  assert.equal(sent, back);
});

test("client ping: a server that goes away is lost answers, and one that comes back answers again", async (t) => {
  const { server, client } = await registeredClient(t);
  const ping = background(t, petitExecutable, ["client", "ping", "-n", "0", "-i", "0.05", "-c", client.config]);
  let printed = "";
  let seen = () => {};
  ping.child.stdout?.on("data", (bytes: Buffer) => {
    printed += bytes.toString();
    seen();
  });
  const until = (wanted: RegExp) => new Promise<void>((resolve) => (seen = () => wanted.test(printed) && resolve())());
  await until(/Answer from/);
  await server.kill();
  await until(/No answer: seq=\d+ Nothing listens/);
  await server.start();
  await until(/No answer[\s\S]*Answer from/);
  ping.child.kill("SIGINT");
  assert.equal(await ping.exited, 0);
  const [, sent, back] = SUMMARY.exec(printed) as unknown as string[];
  assert.ok(Number(sent) > Number(back));
});

test("client ping: it leaves the tunnel that stands alone", async (t) => {
  const service = await startService(t, (socket) => socket.resume());
  const { client, server, id } = await startExecutables(t, service.port);
  assert.equal((await petit(["client", "ping", "-n", "1", "-c", client.config])).code, 0);
  assert.equal((await petit(["client", "check", "-c", client.config])).code, 0);
  const { stdout } = await petit(["server", "status", id, "--json", "-c", server.config]);
  const { connected, disconnects } = JSON.parse(stdout);
  assert.deepEqual([connected, disconnects], [true, []]);
});

test("client sping: the way to the service and back, through the daemon", async (t) => {
  const service = await startService(t, (socket) => socket.resume());
  const { client, id } = await startExecutables(t, service.port);
  const sping = (...args: string[]) => petit(["sping", "-i", "0.01", "-c", client.config, ...args]);
  await eventually("the daemon can be asked", async () => (await sping("-n", "1")).code === 0);
  const { code, stdout, stderr } = await sping("-n", "2");
  assert.equal(code, 0, stderr);
  assert.match(stdout, new RegExp(`^Service of ${id} \\(default\\) reached: seq=1 time=[\\d.]+ ms$`, "m"));
  assert.deepEqual(SUMMARY.exec(stdout)?.slice(1), ["2", "2", "0"]);
  assert.equal((await sping("-t", "default", "-n", "1")).code, 0);
  const unknown = await sping("-t", "nope");
  assert.equal(unknown.code, 1);
  assert.match(unknown.stderr, /There is no tenant "nope"/);
  assert.equal(unknown.stdout, "");

  for (const socket of service.sockets) socket.destroy();
  await new Promise((resolve) => service.server.close(resolve));
  const down = await sping("-n", "1");
  assert.equal(down.code, 1);
  assert.match(down.stdout, new RegExp(`^Service of ${id} \\(default\\) not reached: seq=1 .*ECONNREFUSED`, "m"));
  const json = JSON.parse((await sping("-n", "1", "--json")).stdout);
  assert.deepEqual([json.answered, json.milliseconds, json.probes[0].tenant, json.probes[0].registeredId], [
    0,
    null,
    "default",
    id,
  ]);
});

test("client sping: without a daemon exit code 3", async (t) => {
  const { run } = await registeredClient(t);
  const { code, stdout, stderr } = await run("sping");
  assert.equal(code, 3);
  assert.match(stderr, /The client is not running/);
  assert.equal(stdout, "");
});
