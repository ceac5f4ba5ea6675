import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type Server } from "node:net";
import process from "node:process";
import test, { type TestContext } from "node:test";
import pino from "pino";
import { server as settings } from "../../../../src/config/server_settings.ts";
import { OnceAMinute } from "../../../../src/observe/once_a_minute.ts";
import type { Registration } from "../../../../src/registry/registry.ts";
import type { SshdTunnel } from "../../../../src/server/openssh/sshd_tunnel.ts";
import { SshdTunnels, type SshdTunnelsParts } from "../../../../src/server/openssh/sshd_tunnels.ts";
import type { Served } from "../../../../src/server/tunnels.ts";
import { freePort } from "../../../world/ports.ts";
import { skipsSessions, startFakeSession } from "./fake_session.ts";

/** Looks for the listener of one registration; nothing looks unasked. */
function lookFor(port: number, config = settings.parse({})) {
  const registration = { id: "1001", port, fingerprint: "SHA256:a" } as Registration;
  const served: Served[] = [];
  const codes: string[] = [];
  const tunnels = new SshdTunnels({
    config,
    routes: {
      byPort: (asked: number) => asked === port ? registration : undefined,
      byId: () => registration,
    },
    tunnels: { add: (one: Served) => void served.push(one), remove: () => {}, ended: () => {} },
    disconnects: { add: () => {} },
    log: pino({}, { write: (line: string) => void codes.push((JSON.parse(line) as { code: string }).code) }),
    noise: new OnceAMinute(),
    uid: process.getuid?.() as number,
    client: () => undefined,
    end: () => {},
  } as unknown as SshdTunnelsParts);
  tunnels.look();
  return { tunnels, served, codes };
}

/** A program that listens on a port and is not sshd. */
async function listen(t: TestContext, port: number): Promise<Server> {
  const server = createServer((socket) => void socket.destroy());
  server.listen(port, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return server;
}

test(
  "a session of sshd on a registration's port is its tunnel; another program of the same user is not, and is told of",
  {
    skip: skipsSessions,
  },
  async (t) => {
    const port = await freePort();
    const server = await listen(t, port);
    const other = lookFor(port);
    assert.deepEqual([other.served, other.codes], [[], ["port-not-sshd"]]);
    other.tunnels.look();
    assert.deepEqual(other.served, []);
    server.close();
    await startFakeSession(t, port);
    other.tunnels.look();
    assert.equal(other.served.length, 1);
  },
);

test("what listens on a port of sshd's or of petit's own is nobody's tunnel", { skip: skipsSessions }, async (t) => {
  const port = await freePort();
  await startFakeSession(t, port);
  for (const own of [{ ssh: { sshdPort: port } }, { backPort: port }, { proxyPort: port }]) {
    assert.deepEqual(lookFor(port, settings.parse(own)).served, []);
  }
  assert.equal(lookFor(port).served.length, 1);
});

test("a program that has taken the port since the last look gets no caller", { skip: skipsSessions }, async (t) => {
  const port = await freePort();
  const session = await startFakeSession(t, port);
  const { served } = lookFor(port);
  const tunnel = served[0]?.connection as SshdTunnel;
  for (const channel of await Promise.all([tunnel.open(), tunnel.open()])) channel.close();
  await session.stop("SIGKILL");
  await listen(t, port);
  await assert.rejects(tunnel.open(), { message: "sshd does not listen there any more" });
  await assert.rejects(tunnel.open(), { message: "the tunnel is gone" });
});
