import assert from "node:assert/strict";
import { join, resolve } from "node:path";
import test from "node:test";
import { loadConfig, parseConfig } from "../../../src/config/load.ts";
import { temporaryFolder } from "../../world/world.ts";

const FILE = resolve("/etc/petit/config.toml");

/** What the file holds, where the message points, and what it says. */
const invalid: Record<string, [text: string, place: string, message: string | RegExp]> = {
  "an unknown key at the top level": [
    "# petit\nlogLevel = 1\n",
    "2:1",
    'Unknown key "logLevel" at the top level; known there: server, client',
  ],
  "a mistyped section": ["\n[sever]\n", "2:2", 'Unknown key "sever" at the top level; did you mean "server"'],
  "an unknown key in a section": [
    "[server]\n  proxyPrt = 1",
    "2:3",
    'Unknown key "proxyPrt" in [server]; did you mean "proxyPort"',
  ],
  "an unknown key that resembles none": [
    "[client.local]\nxyz = 1",
    "2:1",
    'Unknown key "xyz" in [client.local]; known there: host, port, tls, tlsVerify, tlsCa, probe',
  ],
  "an unknown key in a nested inline table": [
    'server = { vitae = { envronment = "x" } }',
    "1:22",
    'Unknown key "envronment" in [server.vitae]; did you mean "environment"',
  ],
  "an unknown key behind a dotted key": [
    'server.proxyHost = "*"\nserver.ssh.prot = 1',
    "2:1",
    /^Unknown key "prot" in \[server\.ssh\]; (?:did you mean "port"|known there: .*\bport\b)/,
  ],
  "an unknown section in a section": [
    "[server.vitae.more]\nx = 1",
    "1:2",
    /^Unknown key "more" in \[server\.vitae\]; known there: environment, endpoint$/,
  ],
  "a value in the place of a section": ["server = 1", "1:1", '"server" is 1; wanted a section, [server]'],
  "a value in the place of a nested section": [
    "[client]\nlocal = 8080",
    "2:1",
    '"client.local" is 8080; wanted a section, [client.local]',
  ],
  "a list of tables in the place of a section": [
    "[[server]]\nproxyPort = 1",
    "1:3",
    '"server" is a list; wanted a section, [server]',
  ],
  "a string for a port": [
    '[server]\nproxyHost = "*"\nproxyPort = "8090"',
    "3:1",
    '"server.proxyPort" is "8090"; wanted a port, a whole number from 0 to 65535',
  ],
  "a port that is too large": [
    "[server]\nproxyPort = 70000",
    "2:1",
    '"server.proxyPort" is 70000; wanted a port, a whole number from 0 to 65535',
  ],
  "a negative port": [
    "[server.ssh]\nport = -1",
    "2:1",
    '"server.ssh.port" is -1; wanted a port, a whole number from 0 to 65535',
  ],
  "a port that is no whole number": [
    "[server]\nproxyPort = 80.5",
    "2:1",
    '"server.proxyPort" is 80.5; wanted a port, a whole number from 0 to 65535',
  ],
  "port 0 for a service": [
    "[client.local]\nport = 0",
    "2:1",
    '"client.local.port" is 0; wanted a port, a whole number from 1 to 65535',
  ],
  "a wrong type in a nested inline table": [
    "[client]\nlocal = { tls = 1 }",
    "2:11",
    '"client.local.tls" is 1; wanted true or false, without quotes',
  ],
  "a number for a string": ["[client]\nhost = 10", "2:1", '"client.host" is 10; wanted a string in quotes'],
  "a word in quotes for true": [
    '[client.local]\ntls = "true"',
    "2:1",
    '"client.local.tls" is "true"; wanted true or false, without quotes',
  ],
  "a table for a string": ["[client]\nhost = {}", "2:1", '"client.host" is a table; wanted a string in quotes'],
  "an empty host": ['[client]\nhost = ""', "2:1", '"client.host" is ""; wanted a host name or address'],
  "a duration without a unit": [
    '[server]\nheadTimeout = "5"',
    "2:1",
    '"server.headTimeout" is "5"; wanted a duration with a unit, such as "500ms", "5s", "2m" or "24h"',
  ],
  "a number for a duration": [
    "[server]\nheadTimeout = 5",
    "2:1",
    '"server.headTimeout" is 5; wanted a duration with a unit, such as "500ms", "5s", "2m" or "24h"',
  ],
  "a duration that is longer than a timer can wait": [
    '[server]\nopenTimeout = "30d"',
    "2:1",
    /^"server\.openTimeout" is "30d"; wanted a duration/,
  ],
  "a size in a unit that is not known": [
    '[server]\nmaxHeadSize = "64KB"',
    "2:1",
    '"server.maxHeadSize" is "64KB"; wanted a size with a unit, such as "64KiB" or "10MiB"',
  ],
  "a word that is not one of those that may stand there": [
    '[server]\nregistration = "maybe"',
    "2:1",
    '"server.registration" is "maybe"; wanted "join" or "open" or "closed"',
  ],
  "a count out of its range": [
    "[server.ssh]\nclientAliveCountMax = 0",
    "2:1",
    '"server.ssh.clientAliveCountMax" is 0; wanted a whole number from 1 to 100',
  ],
  "a registry that is not SQLite": [
    '[server]\nregistryUrl = "postgres://db"',
    "2:1",
    '"server.registryUrl" is "postgres://db"; wanted "sqlite:" and a path, such as "sqlite:./registry.db"',
  ],
  "a usage record that is not SQLite": [
    '[server]\nusageUrl = "./usage.db"',
    "2:1",
    '"server.usageUrl" is "./usage.db"; wanted "sqlite:" and a path, or ""',
  ],
  "a time bucket below a second": [
    '[server]\nusageBucket = "999ms"',
    "2:1",
    /^"server\.usageBucket" is "999ms"; wanted a duration/,
  ],
  "no kept log file": [
    "[client]\nlogMaxFiles = 0",
    "2:1",
    '"client.logMaxFiles" is 0; wanted a whole number from 1 to 1000',
  ],
  "an unknown form of the access log": [
    '[server]\naccessLog = "common"',
    "2:1",
    '"server.accessLog" is "common"; wanted "off" or "combined" or "json"',
  ],
  "a string for a list": [
    '[server]\ntrustedProxies = "10.0.0.0/8"',
    "2:1",
    '"server.trustedProxies" is "10.0.0.0/8"; wanted a list, such as ["10.0.0.0/8"]',
  ],
  "an SSH algorithm that is broken": [
    '[server.ssh]\nkexAlgorithms = ["+diffie-hellman-group14-sha1"]',
    "2:1",
    /^"server\.ssh\.kexAlgorithms\.0" is "\+diffie-hellman-group14-sha1"; not to be had; wanted a list of "curve25519-sha256", /,
  ],
  "no encryption": [
    '[server.ssh]\nciphers = ["aes256-ctr", "none"]',
    "2:1",
    /^"server\.ssh\.ciphers\.1" is "none"; not to be had; wanted a list of "aes128-gcm@openssh\.com", /,
  ],
  "RSA with SHA-1": [
    '[server.ssh]\npubkeyAcceptedAlgorithms = ["+ssh-rsa"]',
    "2:1",
    /^"server\.ssh\.pubkeyAcceptedAlgorithms\.0" is "\+ssh-rsa"; not to be had; wanted a list of "ssh-ed25519", /,
  ],
  "a list of SSH algorithms that is empty": [
    "[server.ssh]\nmacs = []",
    "2:1",
    /^"server\.ssh\.macs" is a list; wanted a list of "hmac-sha2-256-etm@openssh\.com", /,
  ],
  "SSH algorithms some of which are added to the default": [
    '[server.ssh]\nmacs = ["+hmac-sha2-256", "hmac-sha2-512"]',
    "2:1",
    '"server.ssh.macs" is a list; wanted either "+" before each name, which adds them to the default, or before none',
  ],
  "a rekeyLimit that an exchange of keys uses up itself": [
    '[server.ssh]\nrekeyLimit = "1KiB"',
    "2:1",
    '"server.ssh.rekeyLimit" is "1KiB"; wanted "0B", or "1MiB" and more',
  ],
  "a rekeyInterval of less than a second": [
    '[client]\nrekeyInterval = "100ms"',
    "2:1",
    '"client.rekeyInterval" is "100ms"; wanted "0s", or "1s" and more',
  ],
  "a list element of the wrong type": [
    '[server]\ntrustedProxies = ["10.0.0.0/8", 1]',
    "2:1",
    '"server.trustedProxies.1" is 1; wanted a string in quotes',
  ],
  "a value of many characters is cut short": [
    `[server]\nregistration = "${"x".repeat(200)}"`,
    "2:1",
    `"server.registration" is "${"x".repeat(79)}…; wanted "join" or "open" or "closed"`,
  ],
};

for (const [name, [text, place, message]] of Object.entries(invalid)) {
  test(`config: ${name} is refused with its place`, () => {
    refuses(text, "config-invalid", place, message);
  });
}

for (
  const range of [
    "10.0.0.0/33",
    "::1/129",
    "10.0.0.0/",
    "10.0.0.0/8/8",
    "10.0.0/8",
    "010.0.0.0/8",
    "db.example.com",
    "",
  ]
) {
  test(`config: ${JSON.stringify(range)} is refused as a CIDR range`, () => {
    refuses(
      `[server]\ntrustedProxies = ["${range}"]`,
      "config-invalid",
      "2:1",
      `"server.trustedProxies.0" is "${range}"; wanted an address or a range in CIDR notation, such as "10.0.0.0/8"`,
    );
  });
}

const notToml: Record<string, [text: string, place: string]> = {
  "a value is missing": ["[server]\nproxyPort =", "2:12"],
  "an equals sign is missing": ["[server]\nproxyPort 8090\n", "2:11"],
  "a string has no end": ['[server]\n\n  proxyHost = "un\n', "3:18"],
  "a key is set twice": ["[server]\nproxyPort = 1\nproxyPort = 2\n", "3:1"],
  "a section is opened twice": ["[server]\n[server]\n", "2:2"],
};

for (const [name, [text, place]] of Object.entries(notToml)) {
  test(`config: a file in which ${name} is no TOML, and the place is told`, () => {
    refuses(text, "config-syntax", place, /^This is not TOML: [a-z]/);
  });
}

test("config: a file that is not there is named, with what makes one", (t) => {
  const file = join(temporaryFolder(t), "none.toml");
  assert.throws(() => loadConfig(file), {
    name: "PetitError",
    code: "config-missing",
    exitCode: 2,
    message: `There is no config file "${file}"`,
    hint: /petit server init.*petit client init.*--config/,
  });
});

test("config: a folder in the place of a file is said to be unreadable", (t) => {
  const folder = temporaryFolder(t);
  assert.throws(() => loadConfig(folder), (error: Error & { code: string; exitCode: number }) => {
    assert.equal(error.code, "config-unreadable");
    assert.equal(error.exitCode, 2);
    assert.ok(error.message.startsWith(`Cannot read the config file "${folder}": `), error.message);
    return true;
  });
});

function refuses(text: string, code: string, place: string, message: string | RegExp): void {
  assert.throws(() => parseConfig(text, FILE), (error: Error & { code: string; exitCode: number }) => {
    assert.equal(error.code, code);
    assert.equal(error.exitCode, 2);
    const start = `${FILE}:${place}: `;
    assert.equal(error.message.slice(0, start.length), start);
    const rest = error.message.slice(start.length);
    if (typeof message === "string") assert.equal(rest, message);
    else assert.match(rest, message);
    return true;
  });
}
