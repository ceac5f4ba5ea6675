import assert from "node:assert/strict";
import test from "node:test";
import { type Dialogue, MAX_BYTES } from "../../../../src/server/probe/converse.ts";
import { http } from "../../../../src/server/probe/http.ts";
import { mysql } from "../../../../src/server/probe/mysql.ts";
import { postgresql } from "../../../../src/server/probe/postgresql.ts";
import { tds } from "../../../../src/server/probe/tds.ts";
import { errorOf, found, GARBAGE, leaves, PATIENCE, says } from "./fixture.ts";

const PROBES: readonly [name: string, probe: () => Dialogue, wanted: RegExp][] = [
  ["HTTP", () => http("/health", "db:8080"), /wanted an answer to GET \/health$/],
  ["MySQL", mysql, /wanted the greeting of a MySQL or MariaDB server$/],
  ["PostgreSQL", postgresql, /wanted a PostgreSQL server's answer to a GSSENCRequest$/],
  ["TDS", tds, /wanted the pre-login answer of a SQL Server$/],
];

for (const [name, probe, wanted] of PROBES) {
  test(`${name} probe: a service that is silent is told of, with what was wanted, and left in order`, async () => {
    const { finding, link } = await found(probe(), () => {});
    assert.match(errorOf(finding), /^service-silent: It said nothing within 0\.05 s; /);
    assert.match(errorOf(finding), wanted);
    assert.deepEqual(link.signs, ["eof", "close"]);
  });

  test(`${name} probe: a service that hangs up at once, or is reset`, async () => {
    const { finding } = await found(probe(), (link) => (link.receiveEof(), link.receiveClose()));
    assert.match(errorOf(finding), /^service-unwell: It closed the connection; /);
    const { finding: reset } = await found(probe(), (link) => link.receiveClose());
    assert.match(errorOf(reset), wanted);
  });

  test(`${name} probe: a service that speaks something else is quoted`, async () => {
    const ssh = await found(probe(), says("SSH-2.0-OpenSSH_9.2p1\r\n"));
    assert.match(errorOf(ssh.finding), /^service-unwell: It sent "SSH-2\.0-OpenSSH_9\.2p1"; /);
    assert.match(errorOf(ssh.finding), wanted);
    const garbage = await found(probe(), says(GARBAGE));
    assert.match(errorOf(garbage.finding), /^service-unwell: It sent [0-9a-f]{32}… \(hex\); /);
    const short = await found(probe(), leaves("?"));
    assert.match(errorOf(short.finding), /^service-unwell: It sent "\?"/);
  });

  test(`${name} probe: whatever comes afterwards, and however much, changes nothing`, async () => {
    const { finding, link } = await found(probe(), (link) => {
      for (let sent = 0; sent < 4 * MAX_BYTES; sent += GARBAGE.length) link.receive(GARBAGE);
      link.receiveEof();
      link.receiveClose();
    });
    assert.equal(finding.well, false);
    assert.deepEqual(link.violations, []);
  });
}

test("a probe does not wait longer than it says", async () => {
  const begun = performance.now();
  await found(postgresql(), () => {});
  const took = performance.now() - begun;
  assert.ok(took >= PATIENCE - 2 && took < 2000, `${took} ms`);
});
