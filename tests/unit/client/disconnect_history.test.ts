import assert from "node:assert/strict";
import { mkdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import pino from "pino";
import { DisconnectHistory } from "../../../src/client/disconnect_history.ts";
import { clientMessage } from "../../../src/tunnel/messages.ts";
import { temporaryFolder } from "../../world/temporary_folder.ts";
import type { LogLine, Scope } from "../../world/world.ts";

const SERVER = "petit.example.com:2222";

function open(scope: Scope, folder = temporaryFolder(scope)) {
  const clock = { now: Date.UTC(2026, 0, 1) };
  const log: LogLine[] = [];
  const logger = pino({ base: null }, { write: (text: string) => void log.push(JSON.parse(text) as LogLine) });
  const history = new DisconnectHistory(folder, logger, () => clock.now);
  scope.after(() => history.close());
  return { history, folder, clock, log, file: join(folder, "disconnects.json") };
}

const tunnel = (number: number, more: object = {}) => ({
  ...{ id: number.toString(16).padStart(16, "0"), server: SERVER, ids: ["1001"] },
  ...more,
});

/** Whether a server takes what it is told. */
function taken(disconnects: unknown): number | undefined {
  const vitae = { brand: "ce", version: "1" };
  const message = clientMessage.parse({ type: "handshake1", handshakeVersion: 2, vitae, disconnects });
  return message.type === "handshake1" ? message.disconnects?.length : undefined;
}

test("disconnect history: it survives a restart, and what has been told is not told again", (t) => {
  const first = open(t);
  first.history.ended(tunnel(1), 5000, "the server stopped");
  first.history.told(first.history.untold(SERVER));
  first.history.ended(tunnel(2), 6000, "the client stopped");
  first.history.close();
  const { history } = open(t, first.folder);
  assert.deepEqual(history.all.map(({ cause, code, lasted, told }) => [cause, code, lasted, told]), [
    ["the client stopped", "stopped", 6000, false],
    ["the server stopped", "stopped", 5000, true],
  ]);
  assert.deepEqual(history.untold(SERVER).map(({ cause }) => cause), ["the client stopped"]);
  assert.deepEqual(history.untold("another.example.com:2222"), [], "another server is told nothing of it");
});

test("disconnect history: a client that was killed knows by its file that its tunnel ended", (t) => {
  const killed = open(t);
  killed.history.began(tunnel(1));
  // Writes, as the timer would have done.
  killed.history.close();
  const next = open(t, killed.folder);
  const cause = "the client was killed, or its machine went down";
  assert.deepEqual(next.history.all.map((one) => [one.cause, one.code, one.lasted, one.ids]), [
    [cause, "killed", null, ["1001"]],
  ]);
  assert.equal(taken(next.history.untold(SERVER)), 1);
  next.history.close();
  assert.equal(open(t, killed.folder).history.all.length, 1, "it is told once");
});

test("disconnect history: a tunnel that carries nothing at its end is that of what it carried", (t) => {
  const { history } = open(t);
  history.began(tunnel(1, { ids: ["1001", "1002"] }));
  history.ended(tunnel(1, { ids: [] }), 1, "the client stopped");
  assert.deepEqual(history.all[0]?.ids, ["1001", "1002"]);
});

test("disconnect history: 50 are kept, and counted are all", (t) => {
  const { history, folder } = open(t);
  for (let number = 1; number <= 60; number++) {
    history.ended(tunnel(number), 1, "the connection was reset (ECONNRESET)");
  }
  history.close();
  const again = open(t, folder).history;
  assert.deepEqual([again.all.length, again.all[0]?.tunnel], [50, tunnel(60).id]);
  assert.equal(history.counts.get("reset"), 60);
  assert.equal(taken(again.untold(SERVER)), 50);
});

test("disconnect history: whatever happens, the server is told what fits into a message and is right", (t) => {
  const { history, clock } = open(t);
  clock.now = -5000;
  const ids = Array.from({ length: 300 }, (_, index) => String(1001 + index));
  for (let number = 1; number <= 60; number++) {
    history.ended(tunnel(number, { ids, server: SERVER }), -1, "ü".repeat(5000));
  }
  const untold = history.untold(SERVER);
  assert.ok(untold.length > 10);
  assert.ok(Buffer.byteLength(JSON.stringify(untold)) < 48 * 1024);
  assert.equal(taken(untold), untold.length);
  assert.equal(untold.at(-1)?.tunnel, tunnel(60).id, "the newest go first");
});

test("disconnect history: a client's mistake in it does not keep the server from serving it", () => {
  for (const wrong of [[{ tunnel: "x" }], "text", null, new Array(51).fill({}), [{ at: 1e300 }]]) {
    assert.equal(taken(wrong), undefined);
  }
});

test("disconnect history: a damaged file is told of, and a new one begins", (t) => {
  for (const damaged of ["", "{", "[]", '{"standing":null,"disconnects":[{"tunnel":"x"}]}', "\u0000".repeat(100)]) {
    const folder = temporaryFolder(t);
    writeFileSync(join(folder, "disconnects.json"), damaged);
    const { history, log, file } = open(t, folder);
    assert.deepEqual([history.all, log.length], [[], 1], damaged);
    history.ended(tunnel(1), 1, "the server stopped");
    history.close();
    assert.match(readFileSync(file, "utf8"), /the server stopped/);
  }
});

test("disconnect history: a file that cannot be written is no fault", (t) => {
  const { history, file, log } = open(t);
  mkdirSync(file);
  history.ended(tunnel(1), 1, "the server stopped");
  history.close();
  history.ended(tunnel(2), 1, "the server stopped");
  history.close();
  assert.equal(history.all.length, 2);
  assert.equal(log.length, 1, "one warning a minute");
  rmSync(file, { recursive: true });
});

test("disconnect history: nobody else can read the file", { skip: process.platform === "win32" }, (t) => {
  const { history, file } = open(t);
  history.began(tunnel(1));
  history.close();
  assert.equal(statSync(file).mode & 0o777, 0o600);
});
