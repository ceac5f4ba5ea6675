import assert from "node:assert/strict";
import test from "node:test";
import type { Registry } from "../../../src/registry/registry.ts";
import { NO_OBSERVER } from "../../../src/observe/exchange_report.ts";
import { parseConfig } from "../../../src/config/load.ts";
import { CallerConnection } from "../../../src/server/caller_connection.ts";
import { Deadlines } from "../../../src/server/deadlines.ts";
import { FairTurns } from "../../../src/server/fair_turns.ts";
import { Hold } from "../../../src/server/hold.ts";
import { Routes } from "../../../src/server/routes.ts";
import { Tunnels } from "../../../src/server/tunnels.ts";
import { RawPeer } from "../../world/raw_peer.ts";
import { openAccess } from "../../world/open_access.ts";
import { socketPair } from "../../world/socket_pair.ts";
import type { Scope } from "../../world/world.ts";

const REQUEST = "GET / HTTP/1.1\r\nHost: 1001.example\r\n\r\n";
const TIMES = { openTimeout: 60_000, serviceTimeout: 60_000, headTimeout: 60_000, idleTimeout: 60_000 };

/** A caller of a server without any registration: a request that is understood is answered with 404. */
async function callerOf(scope: Scope): Promise<{ caller: RawPeer; arrived: (bytes: number) => Promise<void> }> {
  const routes = new Routes({ registrations: () => [], version: () => 1 } as unknown as Registry, () => {});
  scope.after(() => routes.close());
  const [near, far] = await socketPair(scope);
  const tunnels = new Tunnels();
  const { server: limits } = parseConfig("", "/nowhere/config.toml");
  new CallerConnection(near, { address: "127.0.0.1", port: 1, secure: false, trusted: false }, {
    routes,
    access: openAccess(),
    tunnels,
    hold: new Hold(tunnels, limits),
    deadlines: new Deadlines(),
    turns: new FairTurns(assert.fail as (error: unknown) => void),
    limits: { ...limits, ...TIMES },
    observer: NO_OBSERVER,
    onFault: assert.fail as (error: unknown) => void,
  });
  let read = 0;
  let onRead = () => {};
  near.on("data", (bytes: Buffer) => {
    read += bytes.length;
    onRead();
  });
  const arrived = (bytes: number) =>
    new Promise<void>((resolve) => {
      onRead = () => read >= bytes && resolve();
      onRead();
    });
  return { caller: new RawPeer(far), arrived };
}

for (const cut of [1, 2, 3]) {
  test(`empty line: one before a request is ignored, also with a read's end behind byte ${cut}`, async (t) => {
    const { caller, arrived } = await callerOf(t);
    const text = `\r\n${REQUEST}`;
    caller.send(text.slice(0, cut));
    await arrived(cut);
    caller.send(text.slice(cut));
    assert.match(await caller.takeHead(), /^HTTP\/1\.1 404 /);
  });
}

test("empty line: one between two requests is ignored", async (t) => {
  const { caller } = await callerOf(t);
  caller.send(`${REQUEST}\r\n${REQUEST}`);
  for (let i = 0; i < 2; i++) assert.match(await caller.takeUntil("}\n"), /^HTTP\/1\.1 404 /);
});
