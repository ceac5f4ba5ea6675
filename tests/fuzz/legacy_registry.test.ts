import assert from "node:assert/strict";
import fc from "fast-check";
import { PetitError } from "../../src/error.ts";
import { readLegacyRegistry } from "../../src/registry/legacy_registry.ts";
import { fuzzTest } from "./world/fuzz_target.ts";

/** The public half of a key of 1024 bits that nobody has. */
const KEY = `-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDLsQy1t4XWI0gFXosA2FosE5R7
neBVkazdJy7CvcSAssuG1irwFM41LvfeRVVsCCiypJ9nzbhhKxsLI1zTyQo+vLfD
UIAeHqLdDOE35dVDQV5DQS6BPA15KD5qlELUDiXAvLI7YsJl62O0TMDdX+IJ0oRu
TJH0NIZdzfnxRrQ/5wIDAQAB
-----END PUBLIC KEY-----
`;

function check(bytes: Buffer): void {
  try {
    const { registrations, problems, highest } = readLegacyRegistry(bytes.toString("utf8"));
    assert.ok(Number.isSafeInteger(highest.id) && highest.port <= 65_535);
    for (const { id, port, key, fingerprint, brand, aliases } of registrations) {
      assert.match(id, /^[1-9]\d{0,14}$/);
      assert.ok(port >= 1 && port <= 65_535);
      assert.match(key, /^ssh-rsa [A-Za-z0-9+/=]+$/);
      assert.match(fingerprint, /^SHA256:/);
      assert.equal(typeof brand, "string");
      for (const alias of aliases) assert.match(alias, /^[a-z0-9.-]{1,253}$/);
    }
    for (const { id, reason } of problems) assert.ok(typeof id === "string" && reason.length > 0);
  } catch (error) {
    assert.ok(error instanceof PetitError && error.code === "import-unreadable", String(error));
    assert.ok(error.message.length < 2000, `the message has ${error.message.length} characters`);
  }
  assert.equal(Object.keys(Object.prototype).length, 0);
}

const entry = fc.record({
  port: fc.oneof(fc.nat(70_000), fc.constantFrom("11081", -1, 1.5, null)),
  key: fc.oneof(
    fc.constantFrom(KEY, "", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", 5, null),
    fc.string(),
  ),
  aliases: fc.oneof(
    fc.array(fc.constantFrom("a", "db.example.com", "A B", 5, null, { a: 1 }, [[]]), { maxLength: 3 }),
    fc.jsonValue({ maxDepth: 2 }),
  ),
  vitae: fc.oneof(
    fc.jsonValue({ maxDepth: 2 }),
    fc.dictionary(fc.constantFrom("brand", "hostname", "version", "__proto__", "x"), fc.jsonValue({ maxDepth: 1 })),
  ),
}, { requiredKeys: [] });
const ids = fc.constantFrom(
  "1001",
  "1002",
  "0",
  "-1",
  "1e3",
  "__proto__",
  "999999999999999",
  "9999999999999999",
  "constructor",
  "",
);
const made = fc.record({
  version: fc.constantFrom(1, 1, 1, 1, "1", 2, null),
  registeredIds: fc.oneof(
    fc.dictionary(ids, fc.oneof(entry, fc.jsonValue({ maxDepth: 1 }))),
    fc.jsonValue({ maxDepth: 1 }),
  ),
  maxRegisteredId: fc.oneof(fc.nat(), fc.constantFrom(-1, 1e300, "5", null, [])),
  lastPort: fc.oneof(fc.nat(70_000), fc.constantFrom("x".repeat(50_000), {})),
}, { requiredKeys: ["version"] }).map((file) => JSON.stringify(file));
const deep = fc.tuple(fc.constantFrom("[", '{"a":', '{"version":1,"registeredIds":{"1":'), fc.nat(20_000)).map((
  [text, times],
) => text.repeat(times));

fuzzTest({
  name: "legacy_registry",
  seeds: [
    JSON.stringify({
      version: 1,
      maxRegisteredId: 1002,
      maxRegisteredPort: 11082,
      registeredIds: {
        "1001": { port: 11081, key: KEY, vitae: { brand: "ce", version: "0.6.34" }, aliases: ["db.example.com"] },
        "1002": { port: 11082, key: KEY },
      },
    }),
  ],
  words: [
    '"',
    "{",
    "}",
    "[",
    "]",
    ",",
    ":",
    "null",
    "1e999",
    "-1",
    '"__proto__":',
    "\\u0000",
    "\ufeff",
    "BEGIN PRIVATE KEY",
  ],
  made: [made, made, made, made, deep],
  short: 2000,
  batch: 1000,
  check,
});
