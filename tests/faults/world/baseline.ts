import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { within } from "./daemon_status.ts";
import type { FaultWorld } from "./fault_world.ts";
import { figure } from "./figure.ts";
import { idleShare, stateOf } from "./process_state.ts";

/**
 * Milliseconds that daemons have to come to rest: idle channels are kept for 4 s, memory is looked at every 2 s, and a connection that
 * falls silent before its login is given 30 s for that.
 */
const REST = 40_000;

/** Milliseconds over which idle processors are measured. */
const IDLE_FOR = 2000;

/** The most that a daemon may use of a processor while nothing happens. */
const IDLE_SHARE = 0.05;

/** What both daemons of a world held before the faults, to be held against what they hold afterwards. */
export class Baseline {
  readonly #pids: Record<string, number>;
  readonly #before: Record<string, ReturnType<typeof stateOf>>;

  private constructor(pids: Record<string, number>) {
    this.#pids = pids;
    this.#before = Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, stateOf(pid)]));
  }

  /** Takes it once nothing is under way any more. */
  static async of({ server, client }: Pick<FaultWorld, "server" | "client">): Promise<Baseline> {
    return await Baseline.ofPids({ server: server.daemon.pid, client: client.daemon.pid });
  }

  static async ofPids(pids: Record<string, number>): Promise<Baseline> {
    // Idle channels and connections end after 4 s.
    await sleep(5000);
    return new Baseline(pids);
  }

  /**
   * Waits until descriptors and listeners are what they were, prints the figures, and asserts all of them.
   *
   * @param margin MiB by which each daemon may have grown
   */
  async check(fault: string, margin: number): Promise<void> {
    for (const [name, pid] of Object.entries(this.#pids)) {
      const before = this.#before[name] as ReturnType<typeof stateOf>;
      const same = () => {
        const now = stateOf(pid);
        return now.descriptors <= before.descriptors && String(now.listeners) === String(before.listeners);
      };
      await within(REST, same);
      await within(REST, () => stateOf(pid).memory <= before.memory + margin);
      const now = stateOf(pid);
      const idle = await idleShare(pid, IDLE_FOR);
      figure(fault, `memory of the ${name} before`, before.memory, "MiB");
      figure(fault, `memory of the ${name} after`, now.memory, "MiB");
      figure(fault, `descriptors of the ${name} more than before`, now.descriptors - before.descriptors, "");
      figure(fault, `listeners of the ${name} more than before`, now.listeners.length - before.listeners.length, "");
      figure(fault, `idle ${name} uses of a core afterwards`, idle * 100, "%");
      assert.deepEqual(now.listeners, before.listeners, `listeners of the ${name}`);
      assert.ok(now.descriptors <= before.descriptors, `descriptors of the ${name}: ${now.descriptors}`);
      assert.ok(now.memory <= before.memory + margin, `memory of the ${name}: ${now.memory} MiB`);
      assert.ok(idle <= IDLE_SHARE, `the idle ${name} uses ${idle * 100} % of a core`);
    }
  }
}
