import assert from "node:assert/strict";
import { createRequire } from "node:module";
import process from "node:process";
import test from "node:test";
import { parseConfig } from "../../../src/config/load.ts";
import {
  type AlgorithmKind,
  algorithmList,
  type AlgorithmNames,
  ALGORITHMS,
} from "../../../src/config/ssh_algorithms.ts";

const library = createRequire(import.meta.url)("ssh2/lib/protocol/constants.js") as Record<string, string[]>;
const LISTS: Record<AlgorithmKind, string> = {
  kexAlgorithms: "SUPPORTED_KEX",
  ciphers: "SUPPORTED_CIPHER",
  macs: "SUPPORTED_MAC",
  hostKeyAlgorithms: "SUPPORTED_SERVER_HOST_KEY",
  pubkeyAcceptedAlgorithms: "SUPPORTED_SERVER_HOST_KEY",
};
const kinds = Object.entries(ALGORITHMS) as [AlgorithmKind, AlgorithmNames][];
const parse = (kind: AlgorithmKind, list: string[]) => algorithmList(kind).safeParse(list);

for (const [kind, { modern, more }] of kinds) {
  test(`SSH algorithms: the library has all ${kind} that this build takes`, () => {
    const taken = [...modern, ...more].filter((name) => parse(kind, [name]).success);
    assert.deepEqual(taken.filter((name) => !library[LISTS[kind]]?.includes(name)), []);
    assert.deepEqual(modern.filter((name) => !taken.includes(name)), []);
  });

  test(`SSH algorithms: no ${kind} can be set that are broken, though the library has them`, () => {
    const taken = (library[LISTS[kind]] as string[]).filter((name) => parse(kind, [name]).success);
    const broken = /none|sha1|md5|cbc|arcfour|3des|dss|-96|ripemd|group-exchange|^ssh-rsa$|^aes\d+-gcm$/;
    assert.deepEqual(taken.filter((name) => broken.test(name)), []);
  });
}

test("SSH algorithms: names alone are the list, names after a plus come after the default", () => {
  const { ssh } = parseConfig(
    '[server.ssh]\nciphers = ["aes256-ctr"]\nmacs = ["+hmac-sha2-512", "+hmac-sha2-256-etm@openssh.com"]',
    "/nowhere/config.toml",
  ).server;
  assert.deepEqual(ssh.ciphers, ["aes256-ctr"]);
  assert.deepEqual(ssh.macs, [...ALGORITHMS.macs.modern, "hmac-sha2-512"]);
});

test("SSH algorithms: what only another runtime can do is refused with the reason", () => {
  const bun = "bun" in process.versions;
  const { error } = parse("kexAlgorithms", ["diffie-hellman-group16-sha512"]);
  assert.equal(error?.issues[0]?.message.includes("would stand still for seconds") ?? false, bun);
  const chacha = parse("ciphers", ["chacha20-poly1305@openssh.com"]);
  assert.equal(chacha.error?.issues[0]?.message.includes("has no ChaCha20") ?? false, bun);
});
