import assert from "node:assert/strict";
import { chmodSync, copyFileSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { askCommand } from "../../src/control/ask_command.ts";
import { findDaemon, type PidFile } from "../../src/platform/pid_file.ts";
import type { Detached } from "../world/detached.ts";
import { configure, petitExecutable } from "../world/executable.ts";
import { startService, temporaryFolder } from "../world/world.ts";
import { figure } from "./world/figure.ts";
import { inForm, SLOW } from "./world/form.ts";
import { within } from "./world/daemon_status.ts";
import { answeredAgain, RECOVERY } from "./world/recovery.ts";
import { makeRestartWorld, onlyOneIsLeft, processesOf, type RestartWorld } from "./world/restart_world.ts";
import { SteadyLoad } from "./world/steady_load.ts";

const PER_SECOND = 100;

/** What a restart that cannot be leaves as it was: the process, the tunnel, every request. */
async function changesNothing(
  t: TestContext,
  world: RestartWorld,
  daemon: Detached,
  message: RegExp,
  exit = 1,
): Promise<void> {
  const before = processesOf(daemon);
  const load = new SteadyLoad(world, PER_SECOND);
  await sleep(200);
  const { code, stdout, stderr } = await daemon.run("restart");
  await sleep(200);
  const tally = await load.stop();
  assert.equal(code, exit, `${stdout}${stderr}`);
  assert.match(stderr, message);
  assert.deepEqual(processesOf(daemon), before);
  assert.equal(tally.counts.correct, load.sent, JSON.stringify(tally.reasons));
  t.diagnostic(stderr);
}

for (const which of ["server", "client"] as const) {
  test(`a ${which} goes on when it cannot be restarted, since its config or its key is broken`, SLOW, async (t) => {
    const world = await makeRestartWorld(t);
    const daemon = world[which];
    const config = readFileSync(daemon.config, "utf8");
    writeFileSync(daemon.config, config.replace(/^drainFor = .*$/m, 'drainFor = "soon"'));
    await changesNothing(t, world, daemon, /drainFor/, 2);
    writeFileSync(daemon.config, config);
    // What only the new process finds out.
    const key = join(daemon.folder, which === "server" ? "ssh_host_ed25519_key" : "key");
    const bytes = readFileSync(key);
    writeFileSync(key, "no key");
    await changesNothing(t, world, daemon, /key.*the (server|client) that was running goes on/);
    writeFileSync(key, bytes);
    const { code, stderr } = await daemon.run("restart");
    assert.equal(code, 0, stderr);
    assert.equal((await world.caller().ask()).class, "correct");
    await onlyOneIsLeft(daemon);
  });
}

test("a server goes on when the executable in its place is broken, or gone", SLOW, async (t) => {
  const executable = join(temporaryFolder(t), "petit");
  copyFileSync(petitExecutable, executable);
  const world = await makeRestartWorld(t, {}, { executable });
  const replace = (text: string) => {
    writeFileSync(`${executable}.new`, text);
    chmodSync(`${executable}.new`, 0o755);
    renameSync(`${executable}.new`, executable);
  };
  replace("#!/bin/sh\nexit 7\n");
  await changesNothing(t, world, world.server, /exit code 7[^]*|goes on/);
  replace("\x7fELF is not all of it");
  await changesNothing(t, world, world.server, /goes on/);
  renameSync(executable, `${executable}.away`);
  await changesNothing(t, world, world.server, /goes on/);
  // The next one that is put there is what runs.
  copyFileSync(petitExecutable, executable);
  const { code, stderr } = await world.server.run("restart");
  assert.equal(code, 0, stderr);
  await onlyOneIsLeft(world.server);
});

test("a server goes on when another program has a port that its config names now", SLOW, async (t) => {
  const world = await makeRestartWorld(t);
  const { server } = world;
  const config = readFileSync(server.config, "utf8");
  const taken = (await startService(t, () => {})).port;
  for (const setting of ["server.proxyPort", "server.ssh.port", "server.listenPort", "server.apiPort"]) {
    configure(server.config, { [setting]: taken });
    await changesNothing(t, world, server, /another program uses that port; the server that was running goes on/);
    writeFileSync(server.config, config);
  }
  const { code, stderr } = await server.run("restart");
  assert.equal(code, 0, stderr);
  await onlyOneIsLeft(server);
});

for (const which of ["server", "client"] as const) {
  test(`a ${which} goes on when the new process is killed as it takes over`, SLOW, async (t) => {
    const fault = `kill -9 of the new ${which} as it takes over`;
    const world = await makeRestartWorld(t);
    const daemon = world[which];
    const before = processesOf(daemon);
    const load = new SteadyLoad(world, PER_SECOND);
    const found = findDaemon(daemon.folder, which) as PidFile;
    const asked = { role: which, folder: daemon.folder, ...found };
    const { pid } = await askCommand<{ pid: number }>(asked, "RESTART", 60_000);
    process.kill(pid, "SIGKILL");
    const { milliseconds } = await answeredAgain(world);
    assert.ok(await within(5000, () => (findDaemon(daemon.folder, which) as PidFile | undefined)?.pid === before[0]));
    const tally = await load.stop();
    console.log(`${fault}: ${tally}; ${JSON.stringify(tally.reasons)}`);
    figure(fault, "requests that were cut or refused", load.sent - tally.counts.correct, "");
    assert.deepEqual(tally.inexcusable, []);
    assert.ok(milliseconds !== undefined && milliseconds <= RECOVERY, `answered after ${milliseconds} ms`);
    assert.deepEqual(processesOf(daemon), before);
    const { code, stderr } = await daemon.run("restart");
    assert.equal(code, 0, stderr);
    await onlyOneIsLeft(daemon);
  });
}

test("two restarts at the same time make one new process or two, and no request fails", SLOW, async (t) => {
  const world = await makeRestartWorld(t);
  for (let round = 0; round < inForm(1, 10); round++) {
    for (const daemon of [world.server, world.client]) {
      const before = processesOf(daemon);
      const load = new SteadyLoad(world, PER_SECOND);
      await sleep(200);
      const both = await Promise.all([daemon.run("restart"), daemon.run("restart")]);
      await sleep(500);
      const tally = await load.stop();
      const codes = both.map(({ code }) => code);
      assert.ok(codes.includes(0), JSON.stringify(both));
      for (const { code, stderr } of both) if (code !== 0) assert.match(stderr, /starting or stopping/);
      assert.equal(tally.counts.correct, load.sent, JSON.stringify(tally.reasons));
      await onlyOneIsLeft(daemon);
      assert.notDeepEqual(processesOf(daemon), before);
    }
  }
});

test("a server that is restarted while a client is away holds its callers all the same", SLOW, async (t) => {
  const fault = "a restart of the server while the client is away";
  const world = await makeRestartWorld(t, { "server.holdFor": "20s" });
  await world.client.kill();
  const early = [world.caller().ask(), world.caller().tcp(2, 100)];
  await sleep(300);
  const restart = world.server.run("restart");
  await sleep(500);
  // The old process waits for those whom it holds.
  await world.client.start();
  const { code, stderr } = await restart;
  assert.equal(code, 0, stderr);
  await world.client.kill();
  const late = [world.caller().ask(), world.caller().tcp(2, 100)];
  await world.client.start();
  const { milliseconds } = await answeredAgain(world);
  const [before, after] = [await Promise.all(early), await Promise.all(late)];
  figure(
    fault,
    "callers from before it that were answered",
    before.filter((one) => one.class === "correct").length,
    "",
  );
  figure(fault, "callers from after it that were answered", after.filter((one) => one.class === "correct").length, "");
  assert.deepEqual(after.map((one) => one.class), ["correct", "correct"], JSON.stringify(after));
  assert.deepEqual(before.map((one) => one.class), ["correct", "correct"], JSON.stringify(before));
  assert.ok(milliseconds !== undefined && milliseconds < RECOVERY);
  await onlyOneIsLeft(world.server);
});

for (const which of ["server", "client"] as const) {
  test(`a ${which} that is stopped and started under load: nothing is wrong or stuck`, SLOW, async (t) => {
    const fault = `petit ${which} stop and start at ${PER_SECOND} requests/s`;
    const world = await makeRestartWorld(t);
    const load = new SteadyLoad(world, PER_SECOND);
    let recovered = 0;
    for (let round = 0; round < inForm(2, 10); round++) {
      await sleep(500);
      assert.equal((await world[which].run("stop")).code, 0);
      await world[which].start();
      const { milliseconds } = await answeredAgain(world);
      recovered = Math.max(recovered, milliseconds ?? NaN);
    }
    await sleep(500);
    const tally = await load.stop();
    console.log(`${fault}: ${tally}; ${JSON.stringify(tally.reasons)}`);
    figure(fault, "requests sent", load.sent, "");
    figure(fault, "requests refused", tally.counts.refused, "");
    figure(fault, "requests cut, wrong or stuck", tally.total - tally.counts.correct - tally.counts.refused, "");
    figure(fault, "answered after the start, in at most", recovered / 1000, "s");
    assert.equal(tally.total, load.sent);
    assert.equal(tally.counts.correct + tally.counts.refused, load.sent, JSON.stringify(tally.inexcusable));
    assert.ok(recovered <= RECOVERY, `answered after ${recovered} ms`);
    await onlyOneIsLeft(world[which]);
  });
}
