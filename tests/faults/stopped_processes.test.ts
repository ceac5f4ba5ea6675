import assert from "node:assert/strict";
import process from "node:process";
import test from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { fileScope } from "../world/file_scope.ts";
import { type FaultWorld, makeFaultWorld, startServiceProcess } from "./world/fault_world.ts";
import { figure } from "./world/figure.ts";
import { SLOW } from "./world/form.ts";
import { MixedLoad } from "./world/mixed_load.ts";
import { answeredAgain, RECOVERY } from "./world/recovery.ts";

const STOPPED_FOR = 15_000;
/** Milliseconds: whoever asks right before the process is stopped waits for it. */
const PATIENCE = STOPPED_FOR + 15_000;

const WHO = ["client", "server", "service"] as const;

const scope = fileScope();

// At the same time, each in a world of its own.
const passed = Promise.all(WHO.map(async (who) => {
  const service = await startServiceProcess(scope);
  const world = await makeFaultWorld(scope, { servicePort: service.port });
  return await stopAndContinue(world, who, pidOf(who, world, service.process.child.pid as number));
}));
passed.catch(() => {});

function pidOf(who: typeof WHO[number], { client, server }: FaultWorld, service: number): number {
  return who === "service" ? service : { client, server }[who].daemon.pid;
}

for (const [index, who] of WHO.entries()) {
  test(
    `a ${who} that is stopped for 15 s and continues answers within 2 s, and nothing is stuck or wrong`,
    SLOW,
    async () => {
      (await passed)[index]?.();
    },
  );
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It has ended.
  }
}

async function stopAndContinue(world: FaultWorld, who: string, pid: number): Promise<() => void> {
  const fault = `SIGSTOP of the ${who}, 15 s`;
  assert.equal((await world.caller().ask()).class, "correct");
  const load = new MixedLoad(world.caller(PATIENCE), { callers: 6, pause: 200, random: Math.random });
  await sleep(500);
  // However the test ends: a stopped process heeds no SIGTERM.
  scope.after(() => signal(pid, "SIGCONT"));
  signal(pid, "SIGSTOP");
  await sleep(STOPPED_FOR);
  signal(pid, "SIGCONT");
  const { milliseconds } = await answeredAgain(world);
  const tally = await load.stop();
  return () => {
    figure(fault, "answered again after SIGCONT, in", (milliseconds ?? NaN) / 1000, "s");
    console.log(`${fault}: ${tally}; ${JSON.stringify(tally.reasons)}`);
    assert.deepEqual(tally.inexcusable, []);
    assert.ok(milliseconds !== undefined && milliseconds <= RECOVERY, `answered after ${milliseconds} ms`);
  };
}
