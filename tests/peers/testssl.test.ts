import assert from "node:assert/strict";
import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import type { Certificates } from "../../src/server/certificates.ts";
import { FIRST } from "../world/certificates.ts";
import { type ServerProcess, startExecutables } from "../world/executable.ts";
import { output, run } from "../world/processes.ts";
import { AnsweringService } from "../world/raw_service.ts";
import { startService, temporaryFolder } from "../world/world.ts";
import { peerTest, program } from "./peer_test.ts";

/** One line of testssl's findings. */
interface Finding {
  readonly id: string;
  readonly severity: "DEBUG" | "INFO" | "OK" | "LOW" | "MEDIUM" | "HIGH" | "CRITICAL" | "WARN" | "FATAL";
  readonly finding: string;
}

/** What is not the server's doing. */
const NOT_OURS: Readonly<Record<string, string>> = {
  cert_chain_of_trust: "the test certificate is self-signed",
  cert_validityPeriod: "the test certificate is good for decades",
  cert_revocation: "nobody could revoke it",
  cert_serialNumberLen: "its serial number is 1",
  engine_problem: "OpenSSL on the tester's side",
  RC4: "the tester's OpenSSL has none to try; cipherlist_LOW says that there is none",
};

/** What has to be among the findings: that testssl has got so far, and what it found there. */
const EXPECTED: Readonly<Record<string, RegExp>> = {
  SSLv2: /^not offered/,
  SSLv3: /^not offered/,
  TLS1: /^not offered/,
  TLS1_1: /^not offered/,
  TLS1_2: /^offered/,
  TLS1_3: /^offered/,
  cipherlist_LOW: /^not offered/,
  cipherlist_AVERAGE: /^not offered/,
  cipherlist_3DES_IDEA: /^not offered/,
  PFS: /^offered/,
  cipher_order: /^server/,
  heartbleed: /^not vulnerable/,
  CCS: /^not vulnerable/,
  ticketbleed: /^not vulnerable/,
  ROBOT: /not vulnerable/,
  secure_renego: /supported/,
  secure_client_renego: /^not vulnerable/,
  CRIME_TLS: /^not vulnerable/,
  LUCKY13: /^not vulnerable/,
};

const OK = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

function install(server: ServerProcess, { key, cert }: Certificates): void {
  const folder = join(server.folder, "certificates");
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of [["server.key", key], ["server.crt", cert]] as const) {
    writeFileSync(join(folder, `${name}.new`), text, { mode: 0o600 });
    renameSync(join(folder, `${name}.new`), join(folder, name));
  }
}

async function startSecure(t: TestContext, certificates: Certificates) {
  const { port } = await startService(t, new AnsweringService(OK).accept);
  const world = await startExecutables(t, port);
  install(world.server, certificates);
  const { secureProxyPort } = world.server;
  await world.server.daemon.logged((line) => line["port"] === secureProxyPort);
  const ask = () =>
    output(program("curl"), ["-sSk", "-H", `Host: ${world.host}`, `https://127.0.0.1:${secureProxyPort}/`]);
  return { ...world, secureProxyPort, ask };
}

peerTest("testssl finds nothing to turn off on the HTTPS proxy, and its probes do no harm", [
  "testssl",
  "openssl",
  "hexdump",
  "curl",
], async (t) => {
  const { secureProxyPort, server, ask } = await startSecure(t, FIRST);
  const file = join(temporaryFolder(t), "findings.json");
  const tests = ["-p", "-s", "-f", "-P", "-S", "-U"];
  const batch = ["--fast", "--warnings", "off", "--nodns", "none", "--color", "0", "--quiet"];
  const patience = ["--connect-timeout", "5", "--openssl-timeout", "5"];
  const target = `https://127.0.0.1:${secureProxyPort}`;
  const probing = run(program("testssl"), [...tests, ...batch, ...patience, "--jsonfile", file, target], {
    timeout: 110_000,
    env: { HOME: server.folder },
  });
  let over = false;
  probing.finally(() => over = true).catch(() => {});
  // Callers get their answers while it probes, and behind it.
  let answers = 0;
  while (!over) {
    assert.equal(await ask(), "ok");
    answers++;
    await new Promise((resolve) => setTimeout(resolve, 500));
  }
  const { stdout } = await probing;
  assert.equal(await ask(), "ok");
  t.diagnostic(`${answers} requests meanwhile`);

  const findings = JSON.parse(readFileSync(file, "utf8")) as Finding[];
  for (const [id, expected] of Object.entries(EXPECTED)) {
    const found = findings.find((finding) => finding.id === id);
    assert.match(found?.finding ?? "no finding", expected, `${id}\n${stdout}`);
  }
  const bad = findings.filter(({ id, severity }) => !["OK", "INFO", "DEBUG"].includes(severity) && !(id in NOT_OURS));
  assert.deepEqual(bad, []);
  assert.ok(server.daemon.log.filter(({ code }) => code === "tls-handshake").length <= 5, "the log is not filled");
});

/** A certificate of RSA, with which TLS without forward secrecy is possible. */
async function makeRsa(t: TestContext): Promise<Certificates> {
  const folder = temporaryFolder(t);
  const [key, cert] = [join(folder, "key"), join(folder, "cert")] as const;
  await output(program("openssl"), [
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
    ...["-keyout", key, "-out", cert],
  ]);
  return { key: readFileSync(key, "utf8"), cert: readFileSync(cert, "utf8") };
}

peerTest("TLS without forward secrecy or with CBC is refused, with a renewed certificate of RSA too", [
  "openssl",
  "curl",
], async (t) => {
  const { secureProxyPort, server, ask } = await startSecure(t, FIRST);
  const agreed = async (cipher: string) => {
    const args = [
      "s_client",
      "-connect",
      `127.0.0.1:${secureProxyPort}`,
      "-tls1_2",
      "-cipher",
      `${cipher}:@SECLEVEL=0`,
    ];
    const { stdout } = await run(program("openssl"), args);
    return /Cipher is (\S+)/.exec(stdout)?.[1];
  };
  const assertModern = async (kind: "ECDSA" | "RSA") => {
    for (
      const cipher of ["AES128-GCM-SHA256", "AES256-SHA", "DHE", `ECDHE-${kind}-AES128-SHA`, `ECDHE-${kind}-AES256-SHA`]
    ) {
      assert.ok([undefined, "(NONE)"].includes(await agreed(cipher)), cipher);
    }
    const [small, large] = [`ECDHE-${kind}-AES128-GCM-SHA256`, `ECDHE-${kind}-AES256-GCM-SHA384`];
    assert.equal(await agreed(large), large);
    // The server's order counts, not the caller's.
    assert.equal(await agreed(`${large}:${small}`), small);
    assert.equal(await ask(), "ok");
  };
  await assertModern("ECDSA");
  install(server, await makeRsa(t));
  await server.daemon.logged(({ msg }) => msg.includes("uses the new certificates"));
  await assertModern("RSA");
});
