import assert from "node:assert/strict";
import { mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import test from "node:test";
import { eventually } from "../world/eventually.ts";
import { ClientProcess, configure, petit, ServerProcess, startExecutables } from "../world/executable.ts";
import { freePort } from "../world/ports.ts";
import { exchange, statusOf } from "../world/raw_http.ts";
import { listenOn, startService, temporaryFolder } from "../world/world.ts";

test("the executable does the main job: init, server, join, register, client, request", async (t) => {
  const service = await startService(t, (socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  });
  const world = await startExecutables(t, service.port);
  const answer = await exchange(world.proxyPort, `GET / HTTP/1.1\r\nHost: ${world.host}\r\nConnection: close\r\n\r\n`);
  assert.equal(statusOf(answer), 200);
  assert.ok(answer.endsWith("ok"));
  assert.ok((await exchange(world.rawPort, "GET / HTTP/1.1\r\n\r\n")).endsWith("ok"));
});

test("petit demo --once shows every step, leaves no files and exits 0", async (t) => {
  const folder = temporaryFolder(t);
  const temporary = join(folder, "tmp");
  mkdirSync(temporary);
  const { code, stdout, stderr } = await petit(["demo", "--once"], { env: { HOME: folder, TMPDIR: temporary } });
  assert.equal(code, 0, stderr);
  for (const step of ["Server", "Client registers", "Tunnel", "HTTP request", "TCP round trip"]) {
    assert.match(stdout, new RegExp(`✓ ${step}`));
  }
  assert.deepEqual(readdirSync(temporary), []);
});

test("all state is readable by its owner only", async (t) => {
  const server = await ServerProcess.init(t);
  await server.start();
  const client = await new ClientProcess(t).register(await server.joinCode(), 9);
  const files = [
    ...["config.toml", "registry.db", "ssh_host_ed25519_key"].map((name) => join(server.folder, name)),
    ...["config.toml", "key", "known_hosts", "tenants/default/registration"].map((name) => join(client.folder, name)),
  ];
  for (const file of files) assert.equal((statSync(file).mode & 0o777).toString(8), "600", file);
});

test("what lies in the current folder does not change what the executable does", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, ".env"), "NO_COLOR=1\nHOME=/nowhere\n");
  writeFileSync(join(folder, "bunfig.toml"), 'preload = ["./evil.js"]\n');
  writeFileSync(join(folder, "evil.js"), 'console.log("evil")\n');
  mkdirSync(join(folder, "node_modules/cpu-features"), { recursive: true });
  writeFileSync(join(folder, "node_modules/cpu-features/index.js"), 'console.log("evil")\n');
  const { stdout } = await petit(["server", "init", "-c", "x/config.toml"], { cwd: folder, env: { HOME: folder } });
  assert.doesNotMatch(stdout, /evil|nowhere/);
  assert.match(stdout, /Config/);
  const version = await petit(["version", "--json"], { cwd: folder });
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  assert.equal(JSON.parse(version.stdout).version, manifest.version);
});

test("a config that cannot be used is one message with its place, exit code 2, and nothing started", async (t) => {
  const server = await ServerProcess.init(t);
  const good = readFileSync(server.config, "utf8");
  const cases: [change: (text: string) => string, wanted: RegExp][] = [
    [
      (text) => text.replace(/^proxyPort = .*$/m, "proxyPort = 70000"),
      /config\.toml:\d+:1: "server\.proxyPort" is 70000; wanted a port/,
    ],
    [(text) => text.replace(/^proxyPort = .*$/m, 'proxyPort = "80"'), /"server\.proxyPort" is "80"; wanted a port/],
    [
      (text) => text.replace(/^proxyPort = /m, "proxyprot = "),
      /Unknown key "proxyprot" in \[server\]; did you mean "proxyPort"/,
    ],
    [(text) => text.replace(/^proxyPort = .*$/m, "proxyPort = = 1"), /config\.toml:\d+:\d+: This is not TOML/],
  ];
  for (const [change, wanted] of cases) {
    writeFileSync(server.config, change(good));
    for (const args of [["server"], ["server", "join"], ["client"]]) {
      const { code, stdout, stderr } = await petit([...args, "-c", server.config]);
      assert.equal(code, 2, stderr);
      assert.match(stderr, wanted);
      assert.equal(stderr.trim().split("\n").length, 1);
      assert.equal(stdout, "");
    }
  }
});

test("a port in use is named with the setting that chooses it", async (t) => {
  const first = await (await ServerProcess.init(t)).start();
  const settings: [setting: string, port: number][] = [
    ["server.ssh.port", first.sshPort],
    ["server.proxyPort", first.proxyPort],
  ];
  for (const [setting, port] of settings) {
    const second = await ServerProcess.init(t, { [setting]: port });
    const { code, stderr } = await petit(["server", "-c", second.config]);
    assert.equal(code, 1);
    const [section, key] = [setting.slice(0, setting.lastIndexOf(".")), setting.slice(setting.lastIndexOf(".") + 1)];
    assert.ok(stderr.includes(`port ${port}: another program uses that port`), stderr);
    assert.ok(stderr.includes(`[${section}] ${key}`), stderr);
  }
});

test("init changes nothing that is there", async (t) => {
  const server = await ServerProcess.init(t);
  const before = readFileSync(server.config, "utf8");
  const { code, stderr } = await petit(["server", "init", "-c", server.config]);
  assert.equal(code, 1);
  assert.match(stderr, /nothing was changed/);
  assert.equal(readFileSync(server.config, "utf8"), before);
  const both = await petit(["client", "init", "-c", server.config, "--local", "localhost:5432"]);
  assert.equal(both.code, 0, both.stderr);
  assert.ok(readFileSync(server.config, "utf8").startsWith(before));
});

test("a reverse port that another program holds leaves HTTP working, and the log says so", async (t) => {
  const service = await startService(t, (socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  });
  const server = await (await ServerProcess.init(t)).start();
  const client = await new ClientProcess(t).register(await server.joinCode(), service.port);
  const squatter = createServer();
  await listenOn(squatter, client.port);
  t.after(() => squatter.close());
  await client.start();
  const line = await server.daemon.logged(({ code }) => code === "port-in-use");
  assert.match(line.msg, new RegExp(`${client.id} is connected, but only for HTTP`));
  const answer = await exchange(server.proxyPort, `GET / HTTP/1.1\r\nHost: ${client.id}\r\nConnection: close\r\n\r\n`);
  assert.equal(statusOf(answer), 200);
});

test("an alias takes effect in a running server, and goes again", async (t) => {
  const service = await startService(t, (socket) => {
    socket.once("data", () => socket.end("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
  });
  const { server, id, proxyPort } = await startExecutables(t, service.port);
  const status = async () =>
    statusOf(await exchange(proxyPort, "GET / HTTP/1.1\r\nHost: db.example.com\r\nConnection: close\r\n\r\n"));
  assert.equal(await status(), 404);
  assert.equal((await petit(["server", "addalias", id, "DB.example.com", "-c", server.config])).code, 0);
  await eventually("the alias leads to the service", async () => await status() === 200);
  const taken = await petit(["server", "addalias", String(Number(id) + 1), "db.example.com", "-c", server.config]);
  assert.equal(taken.code, 1);
  assert.equal((await petit(["server", "removealias", id, "db.example.com", "-c", server.config])).code, 0);
  await eventually("the alias is gone", async () => await status() === 404);
});

test("wrong words and wrong options are answered with the right ones, and exit code 2", async () => {
  const cases: [args: string[], wanted: RegExp][] = [
    [["servr"], /Did you mean "petit server"/],
    [["server", "jion"], /Did you mean "petit server join"/],
    [["server", "join", "--use", "3"], /Did you mean "--uses"/],
    [["server", "join", "--uses", "none"], /"none" is not a number of uses/],
    [["server", "join", "--expires", "5"], /Wanted: a number with a unit/],
    [["client", "register", "petit-x", "y"], /"y" is one argument too many/],
    [["client", "register", "hello"], /does not begin with "petit-"/],
    [["client", "init", "--local", "5432"], /"5432" is not an address for --local/],
    [["server", "addalias", "1001", "not_a_name", "-c", "x"], /"not_a_name" is not a host name/],
    [["--frobnicate"], /"petit --help" lists them/],
  ];
  for (const [args, wanted] of cases) {
    const { code, stderr } = await petit(args);
    assert.equal(code, 2, `${args.join(" ")}: ${stderr}`);
    assert.match(stderr, wanted);
  }
});

test("a client that was never registered, and one without a join code, are told what to do", async (t) => {
  const folder = temporaryFolder(t);
  const config = join(folder, "config.toml");
  const noCode = await petit(["client", "register", "-c", config]);
  assert.match(noCode.stderr, /A join code is needed/);
  await petit(["client", "init", "-c", config, "--server", `127.0.0.1:${await freePort()}`]);
  const { code, stderr } = await petit(["client", "-c", config]);
  assert.equal(code, 1);
  assert.match(stderr, /not registered yet[\s\S]*petit client register/);
});

test("registering writes the server's address into the config and leaves the rest of it alone", async (t) => {
  const server = await (await ServerProcess.init(t)).start();
  const client = new ClientProcess(t);
  await petit(["client", "init", "-c", client.config, "--server", "elsewhere.invalid:1"]);
  configure(client.config, { "client.vitae.brand": "acme" });
  writeFileSync(client.config, `# mine\n${readFileSync(client.config, "utf8")}`);
  await client.register(await server.joinCode(), 5432);
  const text = readFileSync(client.config, "utf8");
  assert.match(text, /^# mine\n/);
  assert.match(text, /host = "127\.0\.0\.1"/);
  assert.ok(text.includes(`port = ${server.sshPort}`));
  assert.match(text, /brand = "acme"/);
  assert.match(text, /port = 5432/);
});
