import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import type { FaultRelay } from "./fault_relay.ts";
import { between, pick } from "./random.ts";
import { DETECTION, RECOVERY } from "./recovery.ts";

export interface RandomFaultsOptions {
  /** Between client and gateway. */
  readonly tunnel: FaultRelay;
  /** Between client and service. Nothing is lost there in silence: no TCP does that, and no one could notice. */
  readonly service: FaultRelay;
  /** Processes that are stopped for a while now and then. */
  readonly pids: readonly number[];
  /** The longest fault, in milliseconds. */
  readonly longest: number;
  /** The longest time without a fault, in milliseconds. */
  readonly pause: number;
  readonly random: () => number;
}

type Fault = (options: RandomFaultsOptions, milliseconds: number) => Promise<void>;

const DIRECTIONS = ["up", "down", "both"] as const;

/** Sets what is wrong with the tunnel for a while. */
function onTunnel(change: (random: () => number) => Parameters<FaultRelay["set"]>[0]): Fault {
  return async ({ tunnel, random }, milliseconds) => {
    await tunnel.set(change(random));
    await sleep(milliseconds);
  };
}

const FAULTS: Record<string, Fault> = {
  reset: ({ tunnel }) => Promise.resolve(tunnel.reset()),
  "reset in mid-stream": onTunnel((random) => ({
    [pick(random, DIRECTIONS)]: { resetAfter: between(random, 1, 300_000) },
  })),
  stall: onTunnel((random) => ({ [pick(random, DIRECTIONS)]: { hole: "stall" } })),
  drop: onTunnel((random) => ({ [pick(random, DIRECTIONS)]: { hole: "drop" } })),
  "fallen silent": onTunnel((random) => ({ both: { silentAfter: between(random, 1, 300_000) } })),
  forgotten: async ({ tunnel }, milliseconds) => {
    await tunnel.set({ both: { hole: "drop" } });
    await sleep(milliseconds);
    tunnel.forget();
  },
  latency: onTunnel((random) => ({ both: { latency: between(random, 5, 150), jitter: between(random, 0, 50) } })),
  bandwidth: onTunnel((random) => ({ [pick(random, DIRECTIONS)]: { bandwidth: between(random, 64_000, 1_000_000) } })),
  slices: onTunnel((random) => ({ [pick(random, DIRECTIONS)]: { slice: between(random, 1, 40), bandwidth: 200_000 } })),
  "slow close": onTunnel(() => ({ both: { closeDelay: 1000 } })),
  refused: async ({ tunnel }, milliseconds) => {
    await tunnel.set({ accepting: "refuse" });
    tunnel.reset();
    await sleep(milliseconds);
  },
  silent: async ({ tunnel }, milliseconds) => {
    await tunnel.set({ accepting: "silent" });
    tunnel.reset();
    await sleep(milliseconds);
  },
  "service reset": ({ service }) => Promise.resolve(service.reset()),
  "service stalls": async ({ service, random }, milliseconds) => {
    await service.set({ [pick(random, DIRECTIONS)]: { hole: "stall" } });
    await sleep(milliseconds);
  },
  "service refuses": async ({ service }, milliseconds) => {
    await service.set({ accepting: "refuse" });
    await sleep(milliseconds);
  },
  "service slow": async ({ service, random }, milliseconds) => {
    await service.set({ both: { latency: between(random, 5, 100), bandwidth: 500_000, slice: 1000 } });
    await sleep(milliseconds);
  },
  "process stopped": async ({ pids, random }, milliseconds) => {
    const pid = pick(random, pids);
    process.kill(pid, "SIGSTOP");
    await sleep(milliseconds);
    process.kill(pid, "SIGCONT");
  },
};

/** Faults of which a connection is lost that nobody has told of it: that is found out by its silence, and not by healing. */
const LASTING = new Set(["fallen silent", "forgotten"]);

/** A fault that was, and what came after it; times in milliseconds. */
export interface PastFault {
  readonly name: string;
  readonly lasted: number;
  /** From its healing to the first answer; undefined where there was none. */
  readonly recovered: number | undefined;
  /** How long that may take. */
  readonly bound: number;
}

/**
 * One fault after the other, each healed before the next, until the time is up.
 *
 * @param recovery waits for the first answer from now on, and says how many milliseconds that took
 */
export async function randomFaults(
  options: RandomFaultsOptions,
  milliseconds: number,
  recovery: () => Promise<number | undefined>,
): Promise<PastFault[]> {
  const { tunnel, service, random, longest, pause } = options;
  const past: PastFault[] = [];
  for (const end = performance.now() + milliseconds; performance.now() < end;) {
    const name = pick(random, Object.keys(FAULTS));
    // Short ones are the more frequent.
    const lasts = longest * random() ** 2;
    const begun = performance.now();
    await (FAULTS[name] as Fault)(options, lasts);
    const lasted = performance.now() - begun;
    await Promise.all([tunnel.heal(), service.heal()]);
    const bound = RECOVERY + (LASTING.has(name) ? DETECTION : 0);
    past.push({ name, lasted, recovered: await recovery(), bound });
    await sleep(pause * random());
  }
  return past;
}
