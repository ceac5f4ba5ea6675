import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { BesiegedWorld, type Door, drip, knock, linger } from "./bad_callers.ts";
import { peerTest } from "./peer_test.ts";

/** Connections for each door, and the lines that all of them together may add to the logs. */
const CONNECTIONS = 500;
const MAX_LINES = 3;
/** Connections at a time. */
const AT_ONCE = 100;

const IDENTIFICATION = Buffer.from("SSH-2.0-OpenSSH_9.2\r\n");
const REQUEST = Buffer.from(
  "GET /a/path/that/goes/on HTTP/1.1\r\nHost: 1002.example.com\r\nX-Field: and its value\r\n",
);
/** The head of a TLS record and of a ClientHello, longer than what follows. */
const CLIENT_HELLO = Buffer.concat([Buffer.from("1603010200010001fc0303", "hex"), randomBytes(200)]);

/** What a good caller of a door begins with, and does not finish. */
const BEGINNINGS: Record<Door, Buffer> = {
  "SSH gateway": Buffer.concat([IDENTIFICATION, Buffer.from([0, 0, 4, 0, 10, 20]), randomBytes(200)]),
  "HTTP proxy": REQUEST,
  "HTTPS proxy": CLIENT_HELLO,
  "reverse port": REQUEST,
};

/** What no good caller sends after a good beginning. */
const NONSENSE: Record<Door, () => Buffer> = {
  "SSH gateway": () => Buffer.concat([IDENTIFICATION, randomBytes(2000)]),
  "HTTP proxy": () => Buffer.concat([REQUEST, randomBytes(2000)]),
  "HTTPS proxy": () => Buffer.concat([CLIENT_HELLO.subarray(0, 5), randomBytes(2000)]),
  "reverse port": () => Buffer.concat([REQUEST, randomBytes(2000)]),
};

for (const door of Object.keys(BEGINNINGS) as Door[]) {
  peerTest(`${CONNECTIONS} bad connections to the ${door} harm nobody and do not fill the log`, [], async (t) => {
    const world = await BesiegedWorld.make(t);
    const port = world.portOf(door);
    const before = world.logLines;
    const kinds = [
      () => knock(port, randomBytes(1 + Math.floor(Math.random() * 3000)), "end"),
      () => knock(port, NONSENSE[door](), "end"),
      () => knock(port, BEGINNINGS[door], "reset"),
      () => knock(port, BEGINNINGS[door].subarray(0, 20), "end"),
      () => knock(port, Buffer.alloc(0), "end"),
    ];
    for (let done = 0; done < CONNECTIONS; done += AT_ONCE) {
      await Promise.all(
        Array.from({ length: AT_ONCE }, (_, i) => (kinds[i % kinds.length] as typeof kinds[number])()),
      );
    }
    await world.assertAnswers();
    const lines = world.logLines - before;
    t.diagnostic(`${lines} lines in the logs`);
    assert.ok(lines <= MAX_LINES, `${lines} lines in the logs`);
    await world.assertRegisters(t);
  });
}

peerTest("callers that send a byte now and then are cut off, and hold up nobody", [], async (t) => {
  const world = await BesiegedWorld.make(t);
  const before = world.logLines;
  // The reverse port is not among them: there time is the service's business.
  const doors: Door[] = ["SSH gateway", "HTTP proxy", "HTTPS proxy"];
  let left = 0;
  const dripping = doors.flatMap((door) =>
    Array.from({ length: 50 }, async () => {
      left++;
      await drip(world.portOf(door), BEGINNINGS[door], 200);
      left--;
    })
  );
  await world.assertAnswers();
  assert.equal(left, dripping.length, "somebody was cut off at once");
  await Promise.all(dripping);
  await world.assertAnswers();
  const lines = world.logLines - before;
  assert.ok(lines <= doors.length * MAX_LINES, `${lines} lines in the logs`);
  await world.assertRegisters(t);
});

peerTest("connections that lead nowhere do not keep the server from stopping", [], async (t) => {
  const world = await BesiegedWorld.make(t, "1h");
  for (const door of Object.keys(BEGINNINGS) as Door[]) {
    await linger(t, world.portOf(door), BEGINNINGS[door]);
    await linger(t, world.portOf(door), Buffer.alloc(0));
  }
  await world.assertAnswers();
  await world.stopServer();
});
