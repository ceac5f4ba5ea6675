import assert from "node:assert/strict";
import { connect } from "node:net";
import test, { type TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { Detached } from "../world/detached.ts";
import { figure } from "./world/figure.ts";
import { inForm, SLOW } from "./world/form.ts";
import type { Outcome } from "./world/outcome.ts";
import { makeRestartWorld, onlyOneIsLeft, processesOf, type RestartWorld } from "./world/restart_world.ts";
import { SteadyLoad } from "./world/steady_load.ts";
import { WebSocketCaller } from "./world/web_socket_caller.ts";

const PER_SECOND = 200;
/** Milliseconds between two restarts. */
const BETWEEN = 1000;

/** Callers of everything that lasts for a few seconds, each begun anew when it is over: bytes of which the first and the last are apart. */
class Streams {
  readonly outcomes: Outcome[] = [];
  readonly webSockets: readonly WebSocketCaller[];
  readonly #running: Promise<unknown>;
  readonly #stopping = new AbortController();

  constructor(world: RestartWorld) {
    const caller = world.caller();
    const kinds = [
      () => caller.download(4_000_000, { every: 10 }),
      () => caller.download(1_500_000, { chunked: true, every: 30 }),
      () => caller.download(1_500_000, { untilEnd: true, every: 30 }),
      () => caller.upload(1_500_000, 30),
      () => caller.events(50, 50),
      () => caller.tcp(100, 4000, 30),
    ];
    const { signal } = this.#stopping;
    this.webSockets = Array.from({ length: 5 }, () => new WebSocketCaller(world));
    this.#running = Promise.all([
      ...kinds.map(async (kind) => {
        while (!signal.aborted) this.outcomes.push(await kind());
      }),
      ...this.webSockets.map(async (caller) => this.outcomes.push(await caller.talk(20, signal))),
    ]);
  }

  async stop(): Promise<Outcome[]> {
    this.#stopping.abort();
    await this.#running;
    return this.outcomes;
  }
}

/** Does something again and again, as fast as it goes, until it is stopped; remembers what went wrong. */
class Knocking {
  readonly failed: string[] = [];
  knocks = 0;
  #stopped = false;
  readonly #running: Promise<unknown>;

  /** @param doors what is done at each; it says what went wrong */
  constructor(doors: Record<string, () => Promise<string | undefined>>) {
    this.#running = Promise.all(
      Object.entries(doors).map(async ([name, knock]) => {
        while (!this.#stopped) {
          const failure = await knock();
          this.knocks++;
          if (failure !== undefined) this.failed.push(`${name}: ${failure}`);
        }
      }),
    );
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    await this.#running;
  }
}

/** Connects and leaves; why that failed, where it did. */
function knock(port: number): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: "127.0.0.1" }, () => (socket.destroy(), resolve(undefined)));
    socket.on("error", (error: Error & { code?: string }) => resolve(error.code ?? error.message));
  });
}

interface UnderLoad {
  readonly which: "server" | "client";
  readonly restarts: number;
  readonly secure?: boolean;
}

/** Restarts a daemon several times under load; no request and no stream may be worse off for it. */
async function restartUnderLoad(t: TestContext, fault: string, { which, restarts, secure }: UnderLoad): Promise<void> {
  const world = await makeRestartWorld(t, {}, secure === undefined ? {} : { secure });
  const daemon = world[which];
  const load = new SteadyLoad(world, PER_SECOND);
  const streams = new Streams(world);
  let longest = 0;
  const pids = new Set(processesOf(daemon));
  for (let restart = 0; restart < restarts; restart++) {
    await sleep(BETWEEN);
    const begun = performance.now();
    await restartNow(daemon);
    longest = Math.max(longest, performance.now() - begun);
    for (const pid of processesOf(daemon)) pids.add(pid);
  }
  await sleep(BETWEEN);
  const [tally, outcomes] = await Promise.all([load.stop(), streams.stop()]);
  console.log(`${fault}: ${tally}; ${JSON.stringify(tally.reasons)}`);
  figure(fault, "requests sent", load.sent, "");
  figure(fault, "requests failed", load.sent - tally.counts.correct, "");
  figure(fault, "slowest request", tally.slowest, "ms");
  figure(fault, "streams over", outcomes.length, "");
  figure(fault, "slowest restart, until the new process serves", longest / 1000, "s");
  const told = streams.webSockets.reduce((sum, caller) => sum + caller.told, 0);
  figure(fault, "WebSockets told to connect anew", told, "");
  assert.equal(tally.counts.correct, load.sent, JSON.stringify(tally.reasons));
  assert.deepEqual(outcomes.filter((outcome) => outcome.class !== "correct"), []);
  assert.equal(pids.size, restarts + 1, "each restart made a new process");
  assert.equal(told, restarts * streams.webSockets.length, "WebSockets that were told to go");
  await onlyOneIsLeft(daemon);
}

async function restartNow(daemon: Detached): Promise<void> {
  const { code, stdout, stderr } = await daemon.run("restart");
  assert.equal(code, 0, `${stdout}${stderr}`);
}

const UNDER_LOAD: Record<string, UnderLoad> = {
  "server": { which: "server", restarts: inForm(3, 12) },
  "server, with HTTPS": { which: "server", restarts: inForm(1, 6), secure: true },
  "client": { which: "client", restarts: inForm(2, 12) },
};

for (const [name, options] of Object.entries(UNDER_LOAD)) {
  const fault = `${options.restarts} restarts of the ${name}, at ${PER_SECOND} requests/s`;
  test(`${fault}: no request fails, no stream is cut`, SLOW, async (t) => await restartUnderLoad(t, fault, options));
}

test("nobody who connects while the server is restarted is refused", SLOW, async (t) => {
  const fault = "connecting all the time while the server is restarted";
  // Whoever connects and says nothing, a thousand times, is an attacker otherwise.
  const world = await makeRestartWorld(t, { "server.ssh.perSourcePenalty": "0s" });
  const { sshPort, proxyPort } = world.server.server;
  const caller = world.caller();
  const knocking = new Knocking({
    proxy: () => knock(proxyPort),
    gateway: () => knock(sshPort),
    // Each of these is a channel, of which a client has its share: nobody leaves before it has been answered.
    "reverse port": async () => {
      const outcome = await caller.tcp(1, 10);
      return outcome.class === "correct" ? undefined : outcome.detail;
    },
  });
  for (let restart = 0; restart < inForm(2, 10); restart++) {
    await sleep(200);
    await restartNow(world.server);
  }
  await knocking.stop();
  figure(fault, "connections", knocking.knocks, "");
  figure(fault, "refused", knocking.failed.length, "");
  assert.deepEqual(knocking.failed, []);
  assert.equal((await world.caller().ask()).class, "correct");
  await onlyOneIsLeft(world.server);
});
