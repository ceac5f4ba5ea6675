import assert from "node:assert/strict";
import test from "node:test";
import { connect } from "../../../../src/server/probe/connect.ts";
import { mysql } from "../../../../src/server/probe/mysql.ts";
import type { MemoryLink } from "../../../world/memory_link.ts";
import { dribbles, errorOf, found, leaves, says } from "./fixture.ts";

function packet(number: number, ...payload: (string | number[])[]): Buffer {
  const bytes = Buffer.concat(payload.map((part) => Buffer.from(part as string, "latin1")));
  return Buffer.concat([Buffer.of(bytes.length & 0xff, bytes.length >> 8, 0, number), bytes]);
}

const GREETING = packet(
  0,
  [10],
  "10.11.14-MariaDB-0+deb12u2\0",
  [5, 0, 0, 0],
  "12345678\0",
  [0xfe, 0xf7, 45, 2, 0, 0xff, 0x81, 21, 0, 0, 0, 0, 0, 0, 0x1d, 0, 0, 0],
  "123456789012\0",
  "mysql_native_password\0",
);
const DENIED = packet(2, [0xff, 0x15, 0x04], "#28000Access denied for user 'petit-probe'@'10.0.0.1'");

/** The service greets, and answers each packet that comes. */
const greets = (...answers: Buffer[]) => (link: MemoryLink): void => {
  let answered = 0;
  link.onSent = ({ kind }) => {
    const answer = kind === "data" ? answers[answered++] : undefined;
    if (answer !== undefined) queueMicrotask(() => link.receive(answer));
  };
  link.receive(GREETING);
};

/** What was sent, once the channel is at its end. */
async function sentBy(link: MemoryLink): Promise<string[]> {
  while (!link.signs.includes("close")) await new Promise(setImmediate);
  assert.deepEqual(link.signs, ["eof", "close"]);
  return link.sent.flatMap((sent) => sent.kind === "data" ? [sent.text] : []);
}

test("MySQL probe: the greeting shows that it works; a login that is refused is the polite end", async () => {
  const { finding, link } = await found(mysql(), greets(DENIED));
  assert.equal(errorOf(finding), "well");
  const [login, ...more] = await sentBy(link);
  assert.deepEqual(more, [], "nothing is sent after the refusal");
  const bytes = Buffer.from(login as string, "latin1");
  assert.deepEqual([bytes.readUIntLE(0, 3), bytes[3]], [bytes.length - 4, 1]);
  assert.match(bytes.toString("latin1"), /petit-probe\0\0mysql_native_password\0$/);
});

test("MySQL probe: the channel stays until the login is answered", async () => {
  const { finding, link } = await found(mysql(), says(GREETING));
  assert.equal(finding.well, true);
  assert.deepEqual(link.signs, []);
  link.receive(DENIED);
  assert.deepEqual(link.signs, ["eof", "close"]);
});

test("MySQL probe: another way to authenticate is answered with nothing; who lets it in is left with a QUIT", async () => {
  const change = packet(2, [0xfe], "caching_sha2_password\0", "12345678901234567890\0");
  const { link } = await found(mysql(), greets(change, packet(4, [0, 0, 0, 2, 0, 0, 0])));
  assert.deepEqual((await sentBy(link)).slice(1), ["\0\0\0\x03", "\x01\0\0\0\x01"]);
});

test("MySQL probe: the greeting may come byte by byte", async () => {
  assert.equal((await found(mysql(), dribbles(GREETING))).finding.well, true);
});

for (
  const [what, error, told] of [
    ["before 4.1", packet(0, [0xff, 0x10, 0x04], "Too many connections"), "Too many connections (1040)"],
    [
      "with SQLSTATE",
      packet(0, [0xff, 0x69, 0x04], "#HY000Host '10.0.0.1' is blocked because of many connection errors"),
      "Host '10.0.0.1' is blocked because of many connection errors (1129)",
    ],
  ] as const
) {
  test(`MySQL probe: an error in place of the greeting is told in the server's words, as it was ${what}`, async () => {
    for (const service of [says(error), dribbles(error), leaves(error)]) {
      const { finding } = await found(mysql(), service);
      assert.equal(errorOf(finding), `service-unwell: The MySQL server refuses: ${told}`);
    }
  });
}

test("MySQL probe: half a greeting is none", async () => {
  const { finding } = await found(mysql(), leaves(GREETING.subarray(0, 30)));
  assert.match(errorOf(finding), /^service-unwell: It sent [0-9a-f]+… \(hex\) and closed the connection; wanted the/);
});

test("connect probe: a connection is all that is wanted, whatever the service says or does not say", async () => {
  for (const service of [() => {}, says("220 mail.example.com\r\n"), leaves("x"), says(Buffer.of(1, 2, 3, 4))]) {
    assert.equal(errorOf((await found(connect(), service)).finding), "well");
  }
  assert.equal(errorOf((await found(connect(), (link) => link.receiveClose())).finding), "well");
});

test("connect probe: MySQL's greeting is answered, so that it does not count the probe as a fault of the client's host", async () => {
  const { link } = await found(connect(), greets(DENIED));
  assert.match((await sentBy(link)).join(""), /petit-probe/);
});
