import assert from "node:assert/strict";
import test from "node:test";
import { postgresql } from "../../../../src/server/probe/postgresql.ts";
import { dribbles, errorOf, found, leaves, says } from "./fixture.ts";

/** An ErrorResponse with these fields. */
function errorResponse(...fields: string[]): Buffer {
  const body = Buffer.from(`${fields.map((field) => `${field}\0`).join("")}\0`, "utf8");
  const head = Buffer.from("E\0\0\0\0", "latin1");
  head.writeUInt32BE(body.length + 4, 1);
  return Buffer.concat([head, body]);
}

for (const answer of ["G", "N", "S"]) {
  test(`PostgreSQL probe: "${answer}" shows that it works`, async () => {
    const { finding, link } = await found(postgresql(), says(answer));
    assert.equal(errorOf(finding), "well");
    assert.equal(Buffer.from(link.data, "latin1").toString("hex"), "0000000804d21630");
    assert.deepEqual(link.signs, ["eof", "close"]);
  });
}

test("PostgreSQL probe: an error is told in the server's words", async () => {
  const error = errorResponse("SFATAL", "C53300", "Msorry, too many clients already");
  for (const service of [says(error), dribbles(error), leaves(error)]) {
    assert.equal(
      errorOf((await found(postgresql(), service)).finding),
      "service-unwell: The PostgreSQL server refuses: sorry, too many clients already (53300)",
    );
  }
});

test("PostgreSQL probe: a server before version 12, which does not know the question, works", async () => {
  const error = errorResponse(
    "SFATAL",
    "C0A000",
    "Munsupported frontend protocol 1234.5680: server supports 2.0 to 3.0",
  );
  assert.equal(errorOf((await found(postgresql(), says(error))).finding), "well");
});

test("PostgreSQL probe: what only begins like an answer is none", async () => {
  for (const answer of ["SSH-2.0-x\r\n", "Nothing", "Ehm, what?", "E\0\0\0\x06xx"]) {
    assert.match(errorOf((await found(postgresql(), says(answer))).finding), /^service-unwell: It sent /, answer);
  }
  const { finding } = await found(postgresql(), leaves("E\0\0\0\x20M"));
  assert.match(errorOf(finding), /closed the connection/);
});
