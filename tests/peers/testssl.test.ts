import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { FIRST } from "../world/certificates.ts";
import { startExecutables } from "../world/executable.ts";
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

async function startSecure(t: import("node:test").TestContext, certificates: { key: string; cert: string }) {
  const { port } = await startService(t, new AnsweringService(OK).accept);
  const world = await startExecutables(t, port);
  const folder = join(world.server.folder, "certificates");
  mkdirSync(folder, { recursive: true });
  for (const [name, text] of [["server.key", certificates.key], ["server.crt", certificates.cert]] as const) {
    writeFileSync(join(folder, name), text);
  }
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

peerTest("with an RSA certificate too, TLS without forward secrecy or with CBC is refused", [
  "openssl",
  "curl",
], async (t) => {
  const folder = temporaryFolder(t);
  const files = [join(folder, "key"), join(folder, "cert")] as const;
  await output(program("openssl"), [
    ...["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"],
    ...["-keyout", files[0], "-out", files[1]],
  ]);
  const { secureProxyPort, ask } = await startSecure(t, {
    key: readFileSync(files[0], "utf8"),
    cert: readFileSync(files[1], "utf8"),
  });
  const agreed = async (cipher: string, ...more: string[]) => {
    const args = ["s_client", "-connect", `127.0.0.1:${secureProxyPort}`, "-tls1_2", "-cipher", cipher, ...more];
    const { stdout } = await run(program("openssl"), args);
    return /Cipher is (\S+)/.exec(stdout)?.[1];
  };
  for (const cipher of ["AES128-GCM-SHA256", "AES256-SHA", "ECDHE-RSA-AES128-SHA", "ECDHE-RSA-AES256-SHA384", "DHE"]) {
    assert.ok([undefined, "(NONE)"].includes(await agreed(`${cipher}:@SECLEVEL=0`)), cipher);
  }
  for (const cipher of ["ECDHE-RSA-AES128-GCM-SHA256", "ECDHE-RSA-CHACHA20-POLY1305"]) {
    assert.equal(await agreed(cipher), cipher);
  }
  // The server's order counts, not the caller's.
  assert.equal(await agreed("ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-AES128-GCM-SHA256"), "ECDHE-RSA-AES128-GCM-SHA256");
  assert.equal(await ask(), "ok");
});
