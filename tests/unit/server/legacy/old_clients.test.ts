import assert from "node:assert/strict";
import test from "node:test";
import type { Log } from "../../../../src/observe/log.ts";
import type { Registration } from "../../../../src/registry/registry.ts";
import { isOldClient, OldClients } from "../../../../src/server/legacy/old_clients.ts";

const MINUTE = 60_000;
const HOUR = 60 * MINUTE;

function registration(id: number, version: string | null, legacy = true, key = id): Registration {
  const vitae = version === null ? null : { brand: "ce", version };
  return { id: String(id), fingerprint: `SHA256:${key}`, legacy, vitae } as Registration;
}

/** A watch over registrations that the test changes, and what it has told. */
function watched(registrations: Registration[]) {
  const clock = { now: 0 };
  const told: { count: number; total: number; ids: string[]; msg: string }[] = [];
  const log = { info: (facts: object, msg: string) => told.push({ ...facts, msg } as never) } as unknown as Log;
  const clients = new OldClients({ registrations: () => registrations, log, now: () => clock.now });
  return { clients, clock, told };
}

test("old clients: who has not been here since it was imported counts, who has a newer client does not", () => {
  assert.equal(isOldClient(registration(1, null)), true);
  assert.equal(isOldClient(registration(1, "0.6.34")), true);
  assert.equal(isOldClient(registration(1, "1.0.0")), false);
  assert.equal(isOldClient(registration(1, "0.6.34", false)), false);
});

test("old clients: they are counted by their keys", () => {
  const all = [
    registration(1001, "0.6.34"),
    registration(1002, "0.6.34", true, 1001),
    registration(1003, "1.0.0", false),
  ];
  const { clients, told } = watched(all);
  clients.look();
  assert.deepEqual(told, [{
    ...{ code: "old-clients", count: 1, total: 2, ids: ["1001", "1002"] },
    msg: "1 of 2 clients are still of petit 0.6: 1001+1002",
  }]);
});

test("old clients: changes are told at most every ten minutes, and what does not change once a day", () => {
  const all = [registration(1001, "0.6.34")];
  const { clients, clock, told } = watched(all);
  clients.look();
  all.push(registration(1002, "0.6.34"));
  clock.now += 9 * MINUTE;
  clients.look();
  assert.equal(told.length, 1);
  clock.now += MINUTE;
  clients.look();
  assert.deepEqual(told.map(({ count }) => count), [1, 2]);
  clock.now += 23 * HOUR;
  clients.look();
  assert.equal(told.length, 2);
  clock.now += HOUR;
  clients.look();
  assert.equal(told.length, 3);
});

test("old clients: that there are none is told when there were some, and then no more", () => {
  const all: Registration[] = [];
  const { clients, clock, told } = watched(all);
  clients.look();
  assert.equal(told.length, 0);
  all.push(registration(1001, "0.6.34"));
  clients.look();
  all[0] = registration(1001, "1.0.0");
  clock.now += HOUR;
  clients.look();
  assert.match(told.at(-1)?.msg as string, /No client is one of petit 0\.6 any more/);
  clock.now += 48 * HOUR;
  clients.look();
  assert.equal(told.length, 2);
});
