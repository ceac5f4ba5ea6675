import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import fc from "fast-check";
import { PetitError } from "../../src/error.ts";
import { decodeJoinCode, encodeJoinCode, type JoinCode } from "../../src/tunnel/join_code.ts";
import { fuzzTest } from "./world/fuzz_target.ts";

function check(bytes: Buffer): void {
  const text = bytes.toString("utf8");
  let code: JoinCode;
  try {
    code = decodeJoinCode(text);
  } catch (error) {
    assert.ok(error instanceof PetitError && error.exitCode === 2, String(error));
    assert.match(error.code, /^join-code-(?:invalid|version)$/);
    return;
  }
  // Whatever is taken says exactly what it says: there is no second text for the same code.
  assert.equal(encodeJoinCode(code), text.trim());
  assert.equal(Buffer.from(code.secret, "base64url").length, 16);
  assert.match(code.hostKeyFingerprint, /^SHA256:[A-Za-z0-9+/]{43}$/);
  assert.ok(code.port >= 1 && code.port <= 65535);
  // deno-lint-ignore no-control-regex
  assert.match(code.host, /^[^\x00-\x20\x7f-\x9f]+$/);
}

/** With the right checksum, whatever is before it: what a person mistypes never gets that far, what someone makes on purpose does. */
function sealed(body: Buffer): string {
  const check = createHash("sha256").update(body).digest().subarray(0, 4);
  return `petit-${Buffer.concat([body, check]).toString("base64url")}`;
}

const GOOD = {
  secret: "A".repeat(21) + "A",
  hostKeyFingerprint: `SHA256:${"a".repeat(42)}A`,
  host: "petit.example.com",
};
const seeds = [
  encodeJoinCode({ ...GOOD, port: 2222 }),
  encodeJoinCode({ ...GOOD, host: "2001:db8::1", port: 65535 }),
  encodeJoinCode({ ...GOOD, host: "münchen.example", port: 22 }),
];
const body = fc.tuple(
  fc.constantFrom(0, 1, 1, 1, 1, 2, 255),
  fc.uint8Array({ minLength: 46, maxLength: 52 }),
  fc.oneof(
    fc.constantFrom("h", "a.example", " ", "a\nb", "\x1b[2J", "a b", ""),
    fc.string({ unit: "binary", maxLength: 12 }),
  ),
  fc.uint8Array({ maxLength: 3 }),
).map(([version, fixed, host, more]) => Buffer.concat([Buffer.from([version]), fixed, Buffer.from(host), more]));

fuzzTest({
  name: "join_code",
  seeds,
  words: ["petit-", "=", "_", "-", " ", "\n", "\ufeff", "+", "/"],
  made: [body.map(sealed), fc.uint8Array({ maxLength: 80 }).map((bytes) => sealed(Buffer.from(bytes)))],
  short: 10_000,
  check,
});
