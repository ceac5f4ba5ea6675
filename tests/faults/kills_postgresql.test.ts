import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import { peerTest, program } from "../peers/peer_test.ts";
import { startExecutables } from "../world/executable.ts";
import { run } from "../world/processes.ts";
import type { Scope } from "../world/world.ts";
import { figure } from "./world/figure.ts";
import { inForm } from "./world/form.ts";
import { type Killed, KillWorld, WHO } from "./world/kill_world.ts";
import { POSTGRES, Postgres } from "./world/postgres.ts";
import { LEDGER, PostgresLedger } from "./world/postgres_ledger.ts";
import { RECOVERY } from "./world/recovery.ts";
import { within } from "./world/daemon_status.ts";

const KILLS = inForm(1, 12);
/** Milliseconds of work before each kill, and of absence after it. */
const BUSY = 800;
const AWAY = 500;
const LEDGERS = 4;

/** pgbench, its own TPC-B, for as long as it is wanted: it gives up whenever its connections are lost. */
function benchFor(
  env: Record<string, string>,
  isWanted: () => boolean,
): { done: Promise<void>; counts: { transactions: number } } {
  const counts = { transactions: 0 };
  const bench = async () => {
    while (isWanted()) {
      const { stdout } = await run(program("pgbench"), ["-n", "-c", "4", "-j", "1", "-T", "2"], { env });
      counts.transactions += Number(/actually processed: (\d+)/.exec(stdout)?.[1] ?? 0);
      await sleep(50);
    }
  };
  return { done: bench(), counts };
}

async function killInTransactions(scope: Scope, who: Killed): Promise<void> {
  const fault = `kill -9 of the ${who} in PostgreSQL transactions`;
  const postgres = await Postgres.start(scope);
  const executables = await startExecutables(scope, postgres.port);
  const world = new KillWorld(executables, postgres);
  const env = postgres.environment(executables.rawPort);
  const { code, stderr } = await run(program("pgbench"), ["-i", "-q", "-s", "1"], { env });
  assert.equal(code, 0, stderr);
  await postgres.ask(LEDGER);
  const ledgers = Array.from(
    { length: LEDGERS },
    (_, index) => new PostgresLedger(executables.rawPort, index * 1_000_000),
  );
  const acknowledged = () => ledgers.reduce((sum, ledger) => sum + ledger.acknowledged.length, 0);
  let wanted = true;
  const bench = benchFor(env, () => wanted);
  const times: (number | undefined)[] = [];
  for (let kill = 0; kill < KILLS; kill++) {
    await sleep(BUSY * (1 + Math.random()));
    await world.kill(who);
    await sleep(AWAY);
    await world.start(who);
    const before = acknowledged();
    times.push(await within(30_000, () => acknowledged() > before));
  }
  await sleep(BUSY);
  wanted = false;
  await Promise.all([bench.done, ...ledgers.map((ledger) => ledger.stop())]);
  const ids = ledgers.flatMap((ledger) => ledger.acknowledged);
  const kept = new Set((await postgres.ask("SELECT id FROM debits")).split("\n").map(Number));
  const lost = ids.filter((id) => !kept.has(id));
  const unknown = ledgers.reduce((sum, ledger) => sum + ledger.unknown, 0);
  figure(fault, "transactions acknowledged", ids.length, "");
  figure(fault, "acknowledged and lost", lost.length, "");
  figure(fault, "cut off before anybody was told", unknown, "");
  figure(fault, "of those, committed", kept.size - ids.length, "");
  figure(fault, "transactions of pgbench runs that ended by themselves", bench.counts.transactions, "");
  figure(
    fault,
    "acknowledged again after it has started, in at most",
    Math.max(...times.map((time) => time ?? NaN)) / 1000,
    "s",
  );
  assert.deepEqual(lost, []);
  assert.ok(kept.size - ids.length <= unknown, "there is more than anybody has asked for");
  assert.deepEqual(ledgers.flatMap((ledger) => ledger.wrong), []);
  assert.equal(
    await postgres.ask(
      "SELECT count(*) FROM debits FULL JOIN credits USING (id) WHERE debits.id IS NULL OR credits.id IS NULL",
    ),
    "0",
  );
  const sums = await postgres.ask(`
    SELECT count(*) > 0, sum(delta) = (SELECT sum(abalance) FROM pgbench_accounts),
           sum(delta) = (SELECT sum(bbalance) FROM pgbench_branches),
           sum(delta) = (SELECT sum(tbalance) FROM pgbench_tellers)
      FROM pgbench_history;`);
  assert.equal(sums, "t|t|t|t");
  const nobody = "SELECT count(*) FROM pg_stat_activity WHERE state LIKE 'idle in transaction%'";
  assert.ok(
    await within(5000, async () => await postgres.ask(nobody) === "0"),
    "a transaction is open with nobody behind it",
  );
  for (const time of times) assert.ok(time !== undefined && time <= RECOVERY, `acknowledged after ${time} ms`);
}

for (const who of WHO) {
  peerTest(`kill -9 of the ${who} leaves no PostgreSQL transaction half acknowledged`, POSTGRES, async (t) => {
    await killInTransactions(t, who);
  });
}
