import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import type { TestContext } from "node:test";
import { callDaemon } from "../../src/control/api_client.ts";
import type { FullStatus, ServerStatus } from "../../src/server/server_status.ts";
import { eventually } from "../world/eventually.ts";
import { run } from "../world/processes.ts";
import { getOnce, RawCaller, statusOf } from "../world/raw_http.ts";
import { ask, dbclient, openssh, PLAIN_CLIENTS, type PlainClient, tunnel } from "./plain_clients.ts";
import { makePlainWorld, type PlainWorld, registerKey, startPlainService } from "./plain_ssh.ts";
import { peerTest, program } from "./peer_test.ts";

/** A server, a registered key that the client has made its own, and a service. */
async function makeWorld(t: TestContext, client: PlainClient, settings = {}) {
  const world = await makePlainWorld(t, { ...client.settings, ...settings });
  await client.prepare(world);
  const { registeredId: id, registeredPort: port } = await registerKey(world, `${world.keyFile}.pub`);
  const service = await startPlainService(t);
  /** Waits for a tunnel, and for another one than that of `since`; since when it stands. */
  const connected = async (since?: string) => {
    let now: string | undefined;
    await eventually("connected", async () => {
      now = (await statusIn(world, id)).tunnel?.since;
      return now !== undefined && now !== since;
    });
    return now as string;
  };
  const get = () => getOnce(world.server.proxyPort, `${id}.127.0.0.1`);
  return { world, id, port, service, connected, get };
}

function statusIn({ server }: PlainWorld, id: string): Promise<FullStatus> {
  return callDaemon<FullStatus>({ folder: server.folder, role: "server", path: `/status/${id}` });
}

for (const client of PLAIN_CLIENTS) {
  const { name } = client;
  const needs = ["ssh-keygen", ...client.needs];

  peerTest(
    `${name} registers with a join code, serves the HTTP proxy and the reverse port, and tells its status`,
    needs,
    async (t) => {
      const world = await makePlainWorld(t, client.settings);
      await client.prepare(world);
      const code = await world.server.joinCode();
      const registered = await run(
        program(name),
        [...client.password(world, code), "join@127.0.0.1", "register", "--json"],
        { input: readFileSync(`${world.keyFile}.pub`), env: client.environment(t, world, code) },
      );
      assert.equal(registered.code, 0, registered.stderr);
      const { registeredId: id, registeredPort: port, tenant } = JSON.parse(registered.stdout);
      assert.equal(tenant, "default");
      const away = await ask(t, client, world, id, ["status"]);
      assert.equal(away.code, 0, away.stderr);
      assert.match(away.stdout, /^Registration +\d+\nState +away\nClient +red/);

      const service = await startPlainService(t);
      tunnel(t, client, world, id, [`${port}:localhost:${service.port}`]);
      await eventually("connected", async () => (await statusIn(world, id)).connected);
      const answer = await getOnce(world.server.proxyPort, `${id}.127.0.0.1`);
      assert.equal(statusOf(answer), 200);
      assert.ok(answer.endsWith("\r\n\r\nhello"));
      const bytes = randomBytes(3 * 1024 ** 2);
      const caller = new RawCaller(port);
      caller.socket.end(bytes);
      assert.ok(Buffer.from(await caller.all(), "latin1").equals(bytes), "the bytes came back changed");

      const text = await ask(t, client, world, id, ["status"]);
      assert.match(
        text.stdout,
        /State +connected since .*from 127\.0\.0\.1\nClient +green.*\nTunnel +green.*\nService +green/,
      );
      const json = await ask(t, client, world, "whoever", ["status", "--json"]);
      const [status, ...others] = JSON.parse(json.stdout);
      assert.deepEqual([status.registeredId, status.lights.service.state, others], [id, "green", []]);
      assert.equal("access" in status, false);
      const other = await ask(t, client, world, id, ["reboot"]);
      assert.deepEqual([other.code, other.stdout], [127, ""]);
      assert.match(other.stderr, /There is no command "reboot" here, and no shell; "help" lists those that there are/);
      const help = await ask(t, client, world, id, ["help"]);
      assert.deepEqual([help.code, help.stdout.startsWith("status [--json]")], [0, true]);
      // What callers did is on record as that of any client.
      const { totals } = await callDaemon<{ totals: { requests: number } }>({
        folder: world.server.folder,
        role: "server",
        path: `/usage/${id}`,
      });
      assert.equal(totals.requests, 1);
    },
  );

  peerTest(`${name} is held for while it is away, and a later connection takes over`, needs, async (t) => {
    const { world, id, port, service, connected, get } = await makeWorld(t, client);
    const forwards = [`${port}:localhost:${service.port}`];
    const first = tunnel(t, client, world, id, forwards);
    const since = await connected();
    // The later one wins; the older is told why, and ends.
    const second = tunnel(t, client, world, id, forwards);
    const later = await connected(since);
    await first.exited;
    if (name !== "dbclient") assert.match(first.lines.join("\n"), /a newer connection of the same client took over/);
    assert.equal(statusOf(await get()), 200);
    await second.stop("SIGKILL");
    await eventually("away", async () => !(await statusIn(world, id)).connected);
    const held = get();
    tunnel(t, client, world, id, forwards);
    assert.equal(statusOf(await held), 200);
    await connected(later);
    const { disconnects } = await statusIn(world, id);
    assert.ok(disconnects.some(({ cause }) => cause === "a newer connection of the same client took over"));
  });

  peerTest(`${name} without -N keeps its tunnel, and is told how it is in place of a shell`, needs, async (t) => {
    const { world, id, port, service, connected, get } = await makeWorld(t, client);
    // Nothing on standard input, as under a service manager; dbclient wants to be told that there is no terminal then.
    const more = name === "dbclient" ? ["-T"] : [];
    const ssh = tunnel(t, client, world, id, [`${port}:localhost:${service.port}`, "1:localhost:9"], more);
    let printed = "";
    ssh.child.stdout?.on("data", (bytes: Buffer) => printed += bytes.toString());
    await ssh.line((line) => line.includes(`Port 1 is not one of this key's; it may forward ${port} (${id})`));
    await connected();
    assert.equal(statusOf(await get()), 200);
    assert.ok(ssh.alive);
    await eventually("told", () => new RegExp(`^${id} is connected: http://${id}`).test(printed));
  });

  peerTest(`${name} and the server keep each other for alive over a silent link, and limits hold`, needs, async (t) => {
    const settings = {
      "server.ssh.clientAliveInterval": "1s",
      "server.ssh.clientAliveCountMax": 1,
      "server.ssh.maxChannels": 3,
    };
    const { world, id, port, service, connected } = await makeWorld(t, client, settings);
    const alive = {
      ssh: ["-o", "ServerAliveInterval=1", "-o", "ServerAliveCountMax=2"],
      plink: [],
      dbclient: ["-K", "1"],
    };
    const ssh = tunnel(t, client, world, id, [`${port}:localhost:${service.port}`], [...alive[name as "ssh"], "-N"]);
    await connected();
    // Each is a moment of its own: an answer to a question of the server, or a question of the client.
    const seen = new Set<string | null>();
    await eventually("three signs of life", async () => {
      const { connections } = await callDaemon<ServerStatus>({
        folder: world.server.folder,
        role: "server",
        path: "/registry",
      });
      seen.add(connections.find(({ registeredId }) => registeredId === id)?.lights.client.at ?? null);
      return seen.size > 3;
    });
    assert.ok(ssh.alive);
    // Callers beyond the limit are turned away, until others leave.
    const callers: RawCaller[] = [];
    const isServed = async () => {
      const caller = new RawCaller(port);
      caller.socket.on("error", () => {});
      caller.socket.write("x");
      const served = await new Promise<boolean>((resolve) => {
        caller.socket.once("data", () => resolve(true));
        caller.socket.once("close", () => resolve(false));
      });
      if (served) callers.push(caller);
      return served;
    };
    while (await isServed()) assert.ok(callers.length <= 3, "more callers than channels");
    assert.ok(callers.length >= 1);
    callers[0]?.socket.destroy();
    await eventually("room again", isServed);
    for (const { socket } of callers) socket.destroy();
  });
}

peerTest("where dbclient has no algorithm in common with the server, the log says what was missing, once", [
  "ssh-keygen",
  ...dbclient.needs,
], async (t) => {
  const world = await makePlainWorld(t);
  await dbclient.prepare(world);
  for (let time = 0; time < 2; time++) {
    const { code, stderr } = await ask(t, dbclient, world, "petit", ["status"]);
    assert.equal(code, 1);
    assert.match(stderr, /No matching algo mac/);
  }
  const { msg } = await world.server.daemon.logged(({ code }) => code === "login-failed");
  assert.match(
    msg,
    /no MAC in common: the client has (?:hmac-sha1, )?hmac-sha2-256; \[server\.ssh\] macs has hmac-sha2-256-etm@openssh\.com/,
  );
  assert.equal(world.server.daemon.log.filter(({ code }) => code === "login-failed").length, 1);
});

peerTest(
  "ssh exposes several services at a time, and port 0 is told which port it is",
  ["ssh", "ssh-keygen"],
  async (t) => {
    const world = await makePlainWorld(t);
    const one = await registerKey(world, `${world.keyFile}.pub`, "--local-name", "one");
    const other = await registerKey(world, `${world.keyFile}.pub`, "--local-name", "other");
    const service = await startPlainService(t);
    const forwards = [`*:${one.registeredPort}:localhost:${service.port}`, `0.0.0.0:0:localhost:${service.port}`];
    const ssh = tunnel(t, openssh, world, other.registeredId, forwards, ["-N", "-v"]);
    await ssh.line((line) => line.startsWith(`Allocated port ${other.registeredPort} for remote forward`));
    for (const { registeredId, registeredPort } of [one, other]) {
      for (const port of [world.server.proxyPort, registeredPort]) {
        assert.equal(statusOf(await getOnce(port, `${registeredId}.127.0.0.1`)), 200);
      }
    }
    // With another user name port 0 stands for nothing here.
    const nameless = tunnel(t, openssh, world, "petit", [`0:localhost:${service.port}`], ["-N", "-v", "-v"]);
    await nameless.line((line) => line.includes("Port 0 stands for the id that is logged in with"));
  },
);
