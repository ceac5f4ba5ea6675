import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { join } from "node:path";
import process from "node:process";
import test, { type TestContext } from "node:test";
import { isLocked } from "../../src/platform/folder_lock.ts";
import { findDaemon, type PidFile } from "../../src/platform/pid_file.ts";
import { eventually } from "../world/eventually.ts";
import { configure, type Executables, petit, type Settings, startExecutables } from "../world/executable.ts";
import { exchange } from "../world/raw_http.ts";
import { startService } from "../world/world.ts";

const SLOW = { timeout: 120_000 };
/** Commands of every user are taken. */
const OPEN = { server: { "server.localAccess": "all" } };
const GET = (host: string) => `GET / HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`;

/** A server with a request in progress, whose service answers when it is told to. */
async function busyServer(
  t: TestContext,
  settings: Settings = {},
): Promise<Executables & { finish(): void; answer: Promise<string> }> {
  let asked!: (socket: Socket) => void;
  const inService = new Promise<Socket>((resolve) => asked = resolve);
  const service = await startService(t, (socket) => socket.once("data", () => asked(socket)));
  const world = await startExecutables(t, service.port, { server: settings });
  const answer = exchange(world.proxyPort, GET(world.host));
  const socket = await inService;
  return { ...world, answer, finish: () => void socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") };
}

const aboutServer = ({ server }: Executables) => findDaemon(server.folder, "server") as PidFile;
const asked = ({ server }: Executables) => server.daemon.logged(({ msg }) => /is asked to stop/.test(msg));

test("stop waits for what is in progress, a second one with it, and neither cuts it off", SLOW, async (t) => {
  const world = await busyServer(t, { "server.logLevel": "debug" });
  const { server } = world;
  const stop = () => petit(["server", "stop", "-c", server.config]);
  const first = stop();
  await asked(world);
  const second = stop();
  await server.daemon.logged(({ msg }) => /is asked to stop once more/.test(msg));
  assert.equal(await exchange(world.proxyPort, GET(world.host)), "", "nothing new is taken");
  const reload = await petit(["server", "log", "debug", "-c", server.config]);
  assert.equal(reload.code, 0, "commands are heeded until the end");
  assert.ok(isLocked(server.folder, "server"));
  world.finish();
  assert.match(await world.answer, /ok$/);
  assert.deepEqual([(await first).code, (await second).code], [0, 0]);
  assert.equal(await server.daemon.process.exited, 0);
});

test("stop that has waited long enough says so with exit code 1, and the server goes on draining", SLOW, async (t) => {
  const world = await busyServer(t);
  const { server } = world;
  const { code, stderr } = await petit(["server", "stop", "--timeout", "1s", "-c", server.config]);
  assert.equal(code, 1);
  assert.match(stderr, new RegExp(`The server \\(process ${server.daemon.pid}\\) has not stopped within 1 s`));
  assert.ok(isLocked(server.folder, "server"));
  world.finish();
  assert.match(await world.answer, /ok$/);
  assert.equal(await server.daemon.process.exited, 0);
});

for (const [first, second] of [["SIGTERM", "SIGTERM"], ["SIGINT", "SIGINT"], ["SIGTERM", "SIGINT"]] as const) {
  test(
    `${first} drains, and ${second} after it ends the server at once, with its lock and pid file`,
    SLOW,
    async (t) => {
      const world = await busyServer(t);
      const { server } = world;
      const { pid } = server.daemon;
      process.kill(pid, first);
      await asked(world);
      assert.ok(existsSync(join(server.folder, "server.pid")));
      process.kill(pid, second);
      assert.equal(await server.daemon.process.exited, 1);
      await world.answer;
      for (const name of ["server.pid", "server.lock"]) {
        assert.equal(existsSync(join(server.folder, name)), false, name);
      }
      // For the fixture this server has not failed.
      await server.kill();
    },
  );
}

test(
  "STOP on the command port stops a server as it stops one of 0.6.x, with and without the end of the asker's direction",
  SLOW,
  async (t) => {
    for (const end of [true, false]) {
      const service = await startService(t, (socket) => socket.end());
      const { server, ...world } = await startExecutables(t, service.port, OPEN);
      const { listen } = aboutServer({ server, ...world });
      const answer = await new Promise<string>((resolve, reject) => {
        const socket = connect({ host: "127.0.0.1", port: listen, allowHalfOpen: true });
        let text = "";
        socket.on("connect", () => end ? socket.end("STOP\x03") : socket.write("STOP\x03"));
        socket.on("data", (bytes) => text += bytes.toString());
        socket.on("end", () => (socket.destroy(), resolve(text)));
        socket.on("error", reject);
      });
      assert.equal(answer, end ? "" : '{"success":true,"status":"stopped"}');
      assert.equal(await server.daemon.process.exited, 0);
    }
  },
);

test("STOP meant for another process is refused", SLOW, async (t) => {
  const service = await startService(t, (socket) => socket.end());
  const world = await startExecutables(t, service.port, OPEN);
  const { listen, pid } = aboutServer(world);
  const answer = await exchange(listen, `STOP ${pid + 1}\x03`);
  assert.match(answer, new RegExp(`"error":"This is the server with process id ${pid}, and not ${pid + 1}"`));
  assert.ok(world.server.daemon.process.alive);
});

test("a client lets its callers go on when it is stopped, and keeps nothing", SLOW, async (t) => {
  const world = await busyServer(t);
  const { client } = world;
  const stopping = petit(["client", "stop", "-c", client.config]);
  await client.daemon.logged(({ msg }) => /is asked to stop/.test(msg));
  world.finish();
  assert.match(await world.answer, /ok$/);
  assert.equal((await stopping).code, 0);
  assert.equal(await client.daemon.process.exited, 0);
  for (const name of ["client.pid", "client.lock"]) assert.equal(existsSync(join(client.folder, name)), false, name);
});

test("reload of a client reads its config again and keeps its tunnel", SLOW, async (t) => {
  const service = await startService(t, (socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  });
  const world = await startExecutables(t, service.port);
  configure(world.client.config, { "client.reconnectDelayMax": "7s" });
  const { code, stdout } = await petit(["client", "reload", "-c", world.client.config]);
  assert.equal(code, 0);
  assert.match(stdout, /In force now: client\.reconnectDelayMax/);
  configure(world.client.config, { "client.reconnectDelayMax": "8s" });
  process.kill(world.client.daemon.pid, "SIGHUP");
  await eventually(
    "SIGHUP reloads",
    () => world.client.daemon.log.filter(({ msg }) => /reconnectDelayMax changed/.test(msg)).length === 2,
  );
  assert.match(await exchange(world.proxyPort, GET(world.host)), /ok$/);
  assert.deepEqual(world.client.daemon.log.filter(({ msg }) => /The tunnel .* ended/.test(msg)), []);
});
