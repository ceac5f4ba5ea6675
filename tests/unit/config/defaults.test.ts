import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import test from "node:test";
import { loadConfig, parseConfig } from "../../../src/config/load.ts";
import { temporaryFolder } from "../../world/world.ts";

const FILE = resolve("/etc/petit/config.toml");

test("config: an empty file has the documented defaults of a server", () => {
  const { server } = parseConfig("", FILE);
  assert.deepEqual([server.proxyHost, server.proxyPort], ["*", 8090]);
  assert.deepEqual([server.secureProxyHost, server.secureProxyPort], ["*", 8453]);
  assert.deepEqual([server.ssh.listenHost, server.ssh.port], ["*", 2222]);
  assert.equal(server.registration, "join");
  assert.equal(server.ssh.gatewayPorts, "no");
  assert.deepEqual(server.trustedProxies, []);
  assert.equal(server.logLevel, "info");
  assert.equal(server.vitae.endpoint, "http://REGID.localhost:8090");
});

test("config: an empty file has the documented defaults of a client", () => {
  const { client } = parseConfig("", FILE);
  assert.deepEqual([client.host, client.port], ["localhost", 2222]);
  assert.equal(client.bindAddr, "127.0.0.1");
  assert.deepEqual(client.local, {
    host: "localhost",
    port: 8080,
    tls: false,
    tlsVerify: true,
    tlsCa: "",
    probe: "connect",
  });
  assert.equal(client.vitae.brand, "ce");
});

test("config: an empty file has the documented defaults of what both daemons have, and the ports of 0.6.x", () => {
  const { server, client } = parseConfig("", FILE);
  assert.deepEqual([server.listenPort, server.apiPort], [3016, 8101]);
  assert.deepEqual([client.listenPort, client.apiPort], [3015, 8100]);
  for (const daemon of [server, client]) {
    assert.equal(daemon.drainFor, 30_000);
    assert.equal(daemon.logLevel, "info");
    assert.equal(daemon.logFolder, resolve("/etc/petit/logs"));
    assert.deepEqual([daemon.logMaxSize, daemon.logMaxFiles], [10 * 1024 ** 2, 5]);
  }
});

test("config: an empty file has the documented defaults of the access log and the usage record", () => {
  const { server } = parseConfig("", FILE);
  assert.equal(server.accessLog, "off");
  assert.equal(server.usageUrl, `sqlite:${resolve("/etc/petit/usage.db")}`);
  assert.deepEqual([server.usageBucket, server.usageRetention], [5 * 60_000, 90 * 24 * 3_600_000]);
});

test("config: no log folder, no usage record and no CA file are empty paths, and stay empty", () => {
  const { server, client } = parseConfig(
    '[server]\nlogFolder = ""\nusageUrl = ""\n[client]\nlogFolder = ""\n[client.local]\ntlsCa = ""\n',
    FILE,
  );
  assert.deepEqual([server.logFolder, server.usageUrl, client.logFolder, client.local.tlsCa], ["", "", "", ""]);
});

test("config: durations are milliseconds and sizes bytes in the program", () => {
  const { server, client } = parseConfig(
    '[server]\nheadTimeout = "2m"\nmaxHeadSize = "16KiB"\n[client]\nconnectTimeout = "250ms"\n',
    FILE,
  );
  assert.equal(server.headTimeout, 120_000);
  assert.equal(server.maxHeadSize, 16_384);
  assert.equal(client.connectTimeout, 250);
  assert.equal(server.idleTimeout, 75_000, "a default has a unit too");
});

test("config: a setting leaves the others of its section at their defaults", () => {
  const { server } = parseConfig("[server.ssh]\nport = 22\n", FILE);
  assert.equal(server.ssh.port, 22);
  assert.equal(server.ssh.listenHost, "*");
  assert.equal(server.proxyPort, 8090);
});

test("config: an inline table and dotted keys set the same as sections", () => {
  const sections = parseConfig("[server]\nproxyPort = 1\n[server.ssh]\nport = 2\n", FILE);
  assert.deepEqual(parseConfig("server = { proxyPort = 1, ssh = { port = 2 } }", FILE), sections);
  assert.deepEqual(parseConfig("server.proxyPort = 1\nserver.ssh.port = 2\n", FILE), sections);
});

test("config: addresses and CIDR ranges of both families are taken as trusted proxies", () => {
  const ranges = ["10.0.0.0/8", "192.0.2.7", "::1", "fd00::/8", "0.0.0.0/0", "::/128"];
  const { server } = parseConfig(`[server]\ntrustedProxies = ${JSON.stringify(ranges)}\n`, FILE);
  assert.deepEqual(server.trustedProxies, ranges);
});

test("config: relative paths are relative to the file, absolute ones stay", () => {
  const { server } = parseConfig(
    '[server]\ncertificates = "../tls"\nregistryUrl = "sqlite:data/r.db"\n[server.ssh]\nhostKey = "./key"\n',
    FILE,
  );
  assert.equal(server.certificates, resolve("/etc/tls"));
  assert.equal(server.registryUrl, `sqlite:${resolve("/etc/petit/data/r.db")}`);
  assert.equal(server.ssh.hostKey, resolve("/etc/petit/key"));
  const absolute = resolve("/var/lib/petit/key");
  const other = parseConfig(`[server.ssh]\nhostKey = ${JSON.stringify(absolute)}\n`, FILE);
  assert.equal(other.server.ssh.hostKey, absolute);
});

test("config: a file is read with its own folder as the home of its paths", (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "petit.toml"), "[server]\nproxyPort = 1234\n");
  const loaded = loadConfig(join(folder, "petit.toml"));
  assert.equal(loaded.config.server.proxyPort, 1234);
  assert.equal(loaded.file, join(folder, "petit.toml"));
  assert.equal(loaded.folder, folder);
  assert.equal(loaded.config.server.ssh.hostKey, join(folder, "ssh_host_ed25519_key"));
});
