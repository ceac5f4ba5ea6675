import assert from "node:assert/strict";
import { connect, type Socket } from "node:net";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type Executables, startExecutables } from "../world/executable.ts";
import { fileScope } from "../world/file_scope.ts";
import { RawPeer } from "../world/raw_peer.ts";
import { startService } from "../world/world.ts";
import { Baseline } from "./world/baseline.ts";
import { Caller } from "./world/caller.ts";
import { figure } from "./world/figure.ts";
import { inForm, SLOW } from "./world/form.ts";
import { KillableService, type Killed, KillWorld, WHO } from "./world/kill_world.ts";
import { MixedLoad } from "./world/mixed_load.ts";
import { type Outcome, Tally } from "./world/outcome.ts";
import { answeredAgain, RECOVERY } from "./world/recovery.ts";

/** Milliseconds from the beginning of the streams to the kill, and from there to the start. */
const IN_THE_MIDDLE = 1000;
const AWAY = 500;
const KILLS = inForm(2, 12);
/** MiB */
const MARGIN = 24;

/** Streams that take 3 s and more, so that every one of them is in its middle. */
function streams(caller: Caller): Promise<Outcome>[] {
  return [
    caller.upload(2_000_000, 30),
    caller.download(2_000_000, { every: 30 }),
    caller.download(2_000_000, { every: 30, chunked: true }),
    caller.download(2_000_000, { every: 30, untilEnd: true }),
    // More than what is on its way anywhere, as fast as it goes.
    caller.download(200_000_000),
    caller.upload(60_000_000),
    caller.events(60, 50),
    caller.webSocket(100, 4000, 30),
    caller.tcp(100, 4000, 30),
  ];
}

/**
 * Whether a stream has ended as the operating system ends those of a process that was killed: in order. Where the end of the stream is the end of
 * the connection nobody can tell that from the true one; callers without a tunnel are told the same.
 */
function endedByTheSystem(who: Killed, { class: found, kind, detail }: Outcome): boolean {
  if (who === "client" || found !== "corrupt") return false;
  return kind === "tcp" ? /in order/.test(detail) : kind === "until end" && /the answer has/.test(detail);
}

const scope = fileScope();

// At the same time, each in a world of its own.
const passed = Promise.all(WHO.map(async (who) => {
  const service = await KillableService.start(scope);
  const world = new KillWorld(await startExecutables(scope, service.port), service);
  return await killAndStart(world, who);
}));
passed.catch(() => {});

for (const [index, who] of WHO.entries()) {
  test(
    `after kill -9 of the ${who} in the middle of everything the others recover, and nothing is wrong or stuck`,
    SLOW,
    async () => await (await passed)[index]?.(),
  );
}

async function killAndStart(world: KillWorld, who: Killed): Promise<() => Promise<void>> {
  const fault = `kill -9 of the ${who}`;
  const caller = world.caller();
  for (const outcome of await Promise.all([caller.ask(), caller.tcp(1, 100), caller.webSocket(1, 100)])) {
    assert.equal(outcome.class, "correct", outcome.detail);
  }
  const load = () =>
    new MixedLoad(caller, {
      callers: 4,
      pause: 50,
      random: Math.random,
      kinds: ["ask", "download", "upload", "events", "keptAlive", "webSocket"],
    });
  const before = load();
  await sleep(3000);
  await before.stop();
  const baseline = await Baseline.ofPids(world.survivors(who));
  const tally = new Tally();
  const times: (number | undefined)[] = [];
  let toldByTheSystem = 0;
  for (let kill = 0; kill < KILLS; kill++) {
    const running = load();
    const inTheMiddle = streams(caller);
    await sleep(IN_THE_MIDDLE * (1 + Math.random()));
    await world.kill(who);
    await sleep(AWAY);
    await world.start(who);
    const { milliseconds, outcomes } = await answeredAgain(world);
    times.push(milliseconds);
    for (const outcome of [...outcomes, ...await Promise.all(inTheMiddle)]) {
      if (endedByTheSystem(who, outcome)) toldByTheSystem++;
      else tally.add(outcome);
    }
    const { inexcusable } = await running.stop();
    tally.inexcusable.push(...inexcusable);
    // What follows is as it was before.
    for (const outcome of await Promise.all([caller.ask(), caller.tcp(3, 1000), caller.download(100_000)])) {
      if (outcome.class !== "correct") tally.inexcusable.push(outcome);
    }
  }
  return async () => {
    figure(
      fault,
      "answered again after it has started, in at most",
      Math.max(...times.map((time) => time ?? NaN)) / 1000,
      "s",
    );
    console.log(`${fault}: ${tally}; ${JSON.stringify(tally.reasons)}`);
    figure(fault, "streams without an end of their own that its system ended in order", toldByTheSystem, "");
    figure(fault, "wrong or stuck", tally.inexcusable.length, "");
    assert.deepEqual(tally.inexcusable, []);
    for (const time of times) assert.ok(time !== undefined && time <= RECOVERY, `answered after ${time} ms`);
    await baseline.check(fault, MARGIN);
  };
}

/** A raw stream from a caller to a service in this process, in its middle. */
async function rawStream(t: TestContext): Promise<{ world: Executables; caller: RawPeer; service: RawPeer }> {
  let accepted!: (socket: Socket) => void;
  const accepting = new Promise<Socket>((resolve) => accepted = resolve);
  const world = await startExecutables(t, (await startService(t, (socket) => accepted(socket))).port);
  const caller = new RawPeer(connect({ port: world.rawPort, host: "127.0.0.1", allowHalfOpen: true }));
  t.after(() => caller.close());
  caller.send("half of it");
  const service = new RawPeer(await accepting);
  await service.untilText("half of it");
  service.send("half of the answer");
  await caller.untilText("half of the answer");
  return { world, caller, service };
}

test("a raw stream is reset, and not ended, at the far end of a daemon that was killed", SLOW, async (t) => {
  const [one, other] = await Promise.all([rawStream(t), rawStream(t)]);
  await one.world.client.daemon.process.stop("SIGKILL");
  assert.equal(await one.caller.closed, "ECONNRESET", "the caller, when the client was killed");
  await other.world.server.kill();
  assert.equal(await other.service.closed, "ECONNRESET", "the service, when the server was killed");
  await one.world.client.start();
});
