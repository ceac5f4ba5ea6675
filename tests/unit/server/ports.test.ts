import assert from "node:assert/strict";
import { connect, createServer } from "node:net";
import test from "node:test";
import { Hold } from "../../../src/server/hold.ts";
import { ReversePorts } from "../../../src/server/ports.ts";
import { openAccess } from "../../world/open_access.ts";
import { listenOn } from "../../world/world.ts";

/** A port that nobody listens on. */
async function freePort(): Promise<number> {
  const server = createServer();
  const port = await listenOn(server);
  await new Promise((resolve) => server.close(resolve));
  return port;
}

test("reverse ports: how long a client may take to reach its service is what the config says at the time", async (t) => {
  const config = {
    openTimeout: 1000,
    holdFor: 0,
    keepPortFor: 0,
    connectionTimeout: 0,
    ssh: { gatewayPorts: "no" as const, maxChannels: 100 },
  };
  let asked!: (timeout: number) => void;
  const served = {
    registration: { id: "1001", port: await freePort() },
    open: (_address: string, _port: number, timeout: number) => (asked(timeout), new Promise(() => {})),
  };
  const tunnels = { of: () => served } as never;
  const ports = new ReversePorts({
    tunnels,
    hold: new Hold(tunnels, { holdFor: 0, maxHeld: 0, maxHeldPerRegistration: 0, maxHeldSize: 0 }),
    access: openAccess(),
    config,
    log: {} as never,
    observer: { exchangeDone() {} },
    places: { take: () => true } as never,
  });
  t.after(() => ports.closeAll());
  await ports.open(served.registration as never, "127.0.0.1");
  const timeout = () =>
    new Promise<number>((resolve) => {
      asked = resolve;
      const socket = connect(served.registration.port, "127.0.0.1");
      socket.on("error", () => {});
      t.after(() => socket.destroy());
    });
  assert.equal(await timeout(), 1000);
  config.openTimeout = 5;
  assert.equal(await timeout(), 5);
});
