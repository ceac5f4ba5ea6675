import assert from "node:assert/strict";
import { chmodSync, existsSync, readdirSync, statSync } from "node:fs";
import { request } from "node:http";
import { connect } from "node:net";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { apiToken } from "../../src/control/api_token.ts";
import { findDaemon, type PidFile } from "../../src/platform/pid_file.ts";
import { detachedClient, detachedServer } from "../world/detached.ts";
import { configure, petit, ServerProcess, startExecutables } from "../world/executable.ts";
import { exchange } from "../world/raw_http.ts";
import { startService } from "../world/world.ts";

const SLOW = { timeout: 120_000 };
const WINDOWS = process.platform === "win32" && "Windows has no file modes";

function status(port: number, path: string, token?: string): Promise<number | undefined> {
  return new Promise((resolve, reject) => {
    const headers = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const sent = request({ host: "127.0.0.1", port, path, headers, agent: false }, (answer) => {
      answer.destroy();
      resolve(answer.statusCode);
    });
    sent.on("error", reject);
    sent.end();
  });
}

/** Gives a command on a Unix socket. */
function onSocket(path: string, command: string): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = "";
    const socket = connect({ path });
    socket.on("connect", () => socket.write(`${command}\x03`));
    socket.on("data", (bytes) => text += String(bytes));
    socket.on("error", reject);
    socket.on("end", () => resolve(text));
  });
}

test("what a running pair of daemons keeps is for its owner's eyes only", { ...SLOW, skip: WINDOWS }, async (t) => {
  const service = await startService(t, (socket) => socket.end());
  const { server, client } = await startExecutables(t, service.port, { server: { "server.accessLog": "json" } });
  await exchange(server.proxyPort, `GET / HTTP/1.1\r\nHost: ${client.id}.example.com\r\nConnection: close\r\n\r\n`);
  const seen: string[] = [];
  for (const folder of [server.folder, client.folder]) {
    for (const name of readdirSync(folder, { recursive: true, encoding: "utf8" })) {
      const path = join(folder, name);
      const found = statSync(path, { throwIfNoEntry: false });
      if (found === undefined) continue;
      seen.push(name);
      // The public half of the host key may be read by everybody.
      const wanted = found.isDirectory() ? 0o700 : name.endsWith(".pub") ? 0o644 : 0o600;
      assert.equal((found.mode & 0o777).toString(8), wanted.toString(8), path);
    }
  }
  for (
    const name of [
      ...["key", "known_hosts", "config.toml", "api-token", "client.sock", "server.sock", "registry.db"],
      ...[
        "registry.db-wal",
        "usage.db",
        "disconnects.db",
        "ssh_host_ed25519_key",
        "logs/server.log",
        "logs/access.log",
      ],
      ...["tenants/default/registration", "logs/client.log", "server.pid", "server.lock"],
    ]
  ) assert.ok(seen.includes(name) || name.startsWith("logs/client"), name);
});

test(
  "any user sees how a daemon is and changes nothing; its own commands do; a reload opens and closes",
  SLOW,
  async (t) => {
    const service = await startService(t, (socket) => socket.end());
    const { server, client } = await startExecutables(t, service.port);
    await server.daemon.logged(({ msg }) => msg.startsWith("The REST API listens"));
    const run = (...args: string[]) => petit([...args, "-c", server.config]);
    const { listen, api, pid } = findDaemon(server.folder, "server") as PidFile;
    const token = apiToken(server.folder);
    assert.match(await exchange(listen, "STATUS\x03"), /"status":"running"/);
    for (const command of [`STOP ${pid}`, "RESTART", "RELOAD", "LOG debug", `ADDALIAS ${client.id} a.example.com`]) {
      assert.match(await exchange(listen, `${command}\x03`), /localAccess.*"code":"command-closed"/, command);
    }
    await server.daemon.logged(({ code }) => code === "command-refused");
    assert.equal(await status(api as number, "/status"), 200);

    assert.equal((await run("server", "log", "debug")).code, 0);
    configure(server.config, { "server.localAccess": "none" });
    assert.match((await run("server", "reload")).stdout, /server\.localAccess/);
    assert.match(await exchange(listen, "STATUS\x03"), /command-closed/);
    for (const path of ["/status", "/registry", "/metrics", `/status/${client.id}`]) {
      assert.deepEqual([await status(api as number, path), await status(api as number, path, token)], [401, 200], path);
    }
    for (const path of ["/ping", "/version", "/openapi.json"]) {
      assert.equal(
        await status(api as number, path),
        200,
        path,
      );
    }
    assert.equal((await run("server", "status")).code, 0);

    configure(server.config, { "server.localAccess": "all" });
    assert.equal((await run("server", "reload")).code, 0);
    assert.match(await exchange(listen, `ADDALIAS ${client.id} a.example.com\x03`), /"success":true/);
    assert.equal((await run("server", "stop")).code, 0);
    assert.equal(await server.daemon.process.exited, 0);
  },
);

test("the socket goes with its daemon: over restarts, a kill, and a stop", { ...SLOW, skip: WINDOWS }, async (t) => {
  const service = await startService(t, (socket) => socket.end());
  const server = await detachedServer(t, {});
  await server.start();
  const client = await detachedClient(t, server.server, service.port);
  await client.start();
  for (const daemon of [server, client]) {
    const { folder, role, config } = daemon;
    const path = join(folder, `${role}.sock`);
    const pids = new Set<number>();
    const alone = async () => {
      const found = findDaemon(folder, role) as PidFile;
      assert.equal(found.socket, path);
      assert.match(await onSocket(path, `STOP 1`), new RegExp(`process id ${found.pid}`));
      assert.equal(statSync(path).mode & 0o777, 0o600);
      pids.add(found.pid);
      return found.pid;
    };
    await alone();
    for (let times = 0; times < 2; times++) {
      assert.equal((await petit([role, "restart", "-c", config], { env: { HOME: folder } })).code, 0);
      await alone();
    }
    assert.equal(pids.size, 3);
    const pid = await alone();
    process.kill(pid, "SIGKILL");
    while (findDaemon(folder, role) !== undefined);
    assert.ok(existsSync(path));
    await daemon.start();
    assert.notEqual(await alone(), pid);
  }
  for (const { folder, role, config } of [client, server]) {
    assert.equal((await petit([role, "stop", "-c", config], { env: { HOME: folder } })).code, 0);
    assert.equal(existsSync(join(folder, `${role}.sock`)), false);
  }
});

test("a daemon whose socket cannot be goes on without, and says so", { ...SLOW, skip: WINDOWS }, async (t) => {
  const long = { "server.listenSocket": `./${"x".repeat(120)}` };
  const server = await (await ServerProcess.init(t, long)).start();
  const line = await server.daemon.logged(({ code }) => code === "socket-unusable");
  assert.match(line.msg, /^There is no socket for commands: .*longer than 10[37] bytes/);
  assert.equal((findDaemon(server.folder, "server") as PidFile).socket, null);
  assert.equal((await petit(["server", "log", "debug", "-c", server.config])).code, 0);
  assert.equal((await petit(["server", "stop", "-c", server.config])).code, 0);
  assert.equal(await server.daemon.process.exited, 0);
});

test(
  "looser modes are refused before anything is begun, in words that mend them",
  { ...SLOW, skip: WINDOWS },
  async (t) => {
    const server = await ServerProcess.init(t);
    const env = { HOME: server.folder };
    const run = (...args: string[]) => petit([...args, "-c", server.config], { env });
    const key = join(server.folder, "ssh_host_ed25519_key");
    const cases: [path: string, loose: number, strict: number, mends: string][] = [
      [server.folder, 0o777, 0o700, `chmod 700 "${server.folder}"`],
      [server.config, 0o666, 0o600, `chmod 600 "${server.config}"`],
      [key, 0o644, 0o600, `chmod 600 "${key}"`],
    ];
    for (const [path, loose, strict, mends] of cases) {
      chmodSync(path, loose);
      for (const command of ["run", "start"]) {
        const { code, stderr } = await run("server", command);
        assert.equal(code, 1, `${command} ${path}: ${stderr}`);
        assert.ok(stderr.includes(mends) && stderr.includes(`mode ${loose.toString(8)}`), stderr);
      }
      assert.equal(existsSync(join(server.folder, "server.lock")), false);
      chmodSync(path, strict);
    }
    // The way out where a folder has to be like that.
    chmodSync(server.folder, 0o770);
    configure(server.config, { "server.strictModes": false });
    await server.start();
    await server.daemon.stop();
    chmodSync(server.folder, 0o700);

    const shared = join(server.folder, "shared");
    assert.equal((await petit(["client", "init", "-c", join(shared, "config.toml")], { env })).code, 0);
    assert.equal(statSync(shared).mode & 0o777, 0o700);
    const client = { config: join(shared, "config.toml"), key: join(shared, "key") };
    chmodSync(client.key, 0o640);
    const { stdout } = await petit(["server", "join", "-c", server.config], { env });
    const { stderr } = await petit(["client", "register", "-", "-c", client.config], { env, input: stdout });
    assert.ok(stderr.includes(`chmod 600 "${client.key}"`), stderr);
  },
);

test("a script has a token of its own, which is told once and can be taken away", SLOW, async (t) => {
  const server = await (await ServerProcess.init(t)).start();
  await server.daemon.logged(({ msg }) => msg.startsWith("The REST API listens"));
  const { api, listen } = findDaemon(server.folder, "server") as PidFile;
  const run = (...args: string[]) =>
    petit(["server", "token", ...args, "-c", server.config], { env: { HOME: server.folder } });
  const { stdout, stderr, code } = await run("add", "prometheus", "--read");
  const token = stdout.trim();
  assert.deepEqual([code, token.length], [0, 43]);
  assert.match(stderr, /shown this once/);
  assert.equal(await status(api as number, "/log/tail", token), 200);
  assert.match(await exchange(listen, `AUTH ${token} STOP\x03`), /command-closed/);
  assert.match(await exchange(listen, `AUTH ${token} STATUS\x03`), /"status":"running"/);
  assert.match((await run("add", "prometheus")).stderr, /There is a token "prometheus" already/);
  const list = await run("list");
  assert.match(list.stdout, /NAME +MAY +MADE\nprometheus +read +\d/);
  assert.ok(!list.stdout.includes(token));
  assert.equal((await run("revoke", "prometheus")).code, 0);
  assert.equal(await status(api as number, "/log/tail", token), 401);
  assert.deepEqual(JSON.parse((await run("list", "--json")).stdout), []);
  const audit = await petit(["server", "audit", "--json", "-c", server.config], { env: { HOME: server.folder } });
  assert.match(audit.stdout, /token-made[^]*token-revoked|token-revoked[^]*token-made/);
  assert.ok(!audit.stdout.includes(token));
});
