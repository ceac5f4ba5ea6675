import assert from "node:assert/strict";
import test from "node:test";
import { lightsOf, lightStates, patienceOf } from "../../../src/server/lights.ts";
import { type Away, Served } from "../../../src/server/tunnels.ts";

const LIMITS = { maxChannels: 10, maxPendingOpens: 10 };
const PATIENCE = patienceOf(3000, 60_000);

/** A registration that is served: bytes came at `heard`, answers at `answered`, and a ping is open since `asked`. */
function served(link: { heard: number; answered: number; asked?: number }): Served {
  const { heard: lastReceived, answered, asked = -Infinity } = link;
  const connection = { link: { wire: { lastReceived }, answered, asked } };
  return new Served({ id: "1001" } as never, connection as never, "", 11081, "192.0.2.7", LIMITS);
}

/** The states, which are the same whether they are counted or told. */
function states(of: Served | undefined, now: number, away?: Away): string {
  const { client, tunnel, service } = lightsOf(of, away, PATIENCE, now);
  const told = [client, tunnel, service].map(({ state }) => state);
  assert.deepEqual(lightStates(of, PATIENCE, now), told);
  return told.join(" ");
}

test("lights: a client that is heard of, through whose tunnel answers come, whose service was reached", () => {
  const all = served({ heard: 1000, answered: 1000 });
  assert.equal(states(all, 1000), "green green unknown");
  all.evidence.reached(1000, 1, "probe");
  assert.equal(states(all, 1000), "green green green");
});

test("lights: a client that is silent for more than 6 s is red, and nothing behind it is green", () => {
  const silent = served({ heard: 1000, answered: 1000 });
  silent.evidence.reached(1000, 1, "caller");
  assert.equal(states(silent, 7500), "green green green");
  assert.equal(states(silent, 7600), "red red unknown");
  const { client, service } = lightsOf(silent, undefined, PATIENCE, 9000);
  assert.deepEqual([client.error, client.code], ["The client has been silent for 8 s", "client-silent"]);
  assert.notEqual(service.at, null, "when the service was reached is still told");
});

test("lights: a client may be silent as long as the keep-alive lets it", () => {
  assert.equal(patienceOf(2500, 0).client, 6000);
  assert.equal(patienceOf(15_000, 0).client, 30_500);
});

test("lights: bytes that come are no sign of the other direction", () => {
  const oneWay = served({ heard: 10_000, answered: 1000, asked: 3000 });
  oneWay.evidence.reached(1000, 1, "caller");
  assert.equal(states(oneWay, 9000), "green green green");
  assert.equal(states(oneWay, 9100), "green red unknown");
  assert.equal(lightsOf(oneWay, undefined, PATIENCE, 10_000).tunnel.error, "Nothing has come back through it for 7 s");
  assert.equal(states(served({ heard: 60_000, answered: 1000 }), 60_000), "green unknown unknown");
  assert.equal(states(served({ heard: 1000, answered: -Infinity }), 1000), "green unknown unknown");
});

test("lights: a client that is away is red with the cause of its last disconnect, and when", () => {
  const away = { since: 5000, cause: "The tunnel ended: no sign of life", heard: 4000, answered: 3000, reached: 2000 };
  assert.equal(states(undefined, 10_000, away), "red red unknown");
  const { client, tunnel, service } = lightsOf(undefined, away, PATIENCE, 10_000);
  assert.deepEqual([client.error, client.code], ["The tunnel ended: no sign of life", "client-away"]);
  const ago = [client.since, client.at, tunnel.at, service.at].map((at) =>
    Math.round((Date.now() - Date.parse(at as string)) / 1000)
  );
  assert.deepEqual(ago, [5, 6, 7, 8]);
});

test("lights: a client that has not come since the start is red, and was never seen", () => {
  assert.equal(states(undefined, 10_000), "red red unknown");
  const { client } = lightsOf(undefined, undefined, PATIENCE, 10_000);
  assert.deepEqual([client.at, client.code], [null, "client-away"]);
});
