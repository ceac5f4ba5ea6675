import assert from "node:assert/strict";
import { createPrivateKey, generateKeyPairSync } from "node:crypto";
import test from "node:test";
import { readLegacyRegistry } from "../../../src/registry/legacy_registry.ts";
import { publicKeyOf } from "../../../src/tunnel/keys.ts";
import { legacyFile, SOME_KEY } from "./legacy_file.ts";

/** A key pair made long ago, with what `ssh-keygen` says of it: `-y` and `-l`. */
const PAIR = generateKeyPairSync("rsa", { modulusLength: 2048 });
const PUBLIC = PAIR.publicKey.export({ type: "spki", format: "pem" }) as string;

test("0.6 registry: everything of a registration is read", () => {
  const vitae = { brand: "acme", hostname: "h", arch: "x64", platform: "win32", release: "10", version: "0.6.34" };
  const { registrations, highest, problems } = readLegacyRegistry(legacyFile({
    "1001": { port: 11081, key: PUBLIC, vitae, aliases: ["DB.example", "b.example", "db.example"] },
  }, { maxRegisteredId: 1234, maxRegisteredPort: 11999 }));
  assert.deepEqual(problems, []);
  assert.deepEqual(highest, { id: 1234, port: 11999 });
  const key = publicKeyOf(
    createPrivateKey(PAIR.privateKey.export({ type: "pkcs1", format: "pem" })).export({
      type: "pkcs1",
      format: "pem",
    }) as string,
  );
  assert.deepEqual(registrations, [{
    ...{ id: "1001", port: 11081, key: key.line, fingerprint: key.fingerprint },
    ...{ brand: "acme", aliases: ["db.example", "b.example"], vitae },
  }], "the key is the one that the client will show at the gateway");
});

test("0.6 registry: what a registration may lack is filled in", () => {
  const [bare, told] = readLegacyRegistry(legacyFile({
    "1001": { port: 11081, key: SOME_KEY },
    "1002": { port: 11082, key: SOME_KEY, aliases: null, vitae: { hostname: "h", odd: { deep: 1 }, release: 10 } },
  })).registrations;
  assert.deepEqual([bare?.brand, bare?.vitae, bare?.aliases], ["ce", null, []]);
  assert.deepEqual(told?.vitae, { brand: "ce", version: "0.6", hostname: "h" });
});

test("0.6 registry: the older names of the highest numbers are known, and a file with none has none", () => {
  const text = JSON.stringify({ version: 1, registeredIds: {}, lastRegisteredId: 1005, lastPort: 11085 });
  assert.deepEqual(readLegacyRegistry(text).highest, { id: 1005, port: 11085 });
  assert.deepEqual(readLegacyRegistry('{"version":1,"registeredIds":{}}').highest, { id: 0, port: 0 });
});

test("0.6 registry: a key in the older PEM format is read too", () => {
  const pkcs1 = PAIR.publicKey.export({ type: "pkcs1", format: "pem" }) as string;
  const [one, two] = readLegacyRegistry(legacyFile({
    "1001": { port: 11081, key: PUBLIC },
    "1002": { port: 11082, key: pkcs1 },
  })).registrations;
  assert.equal(one?.fingerprint, two?.fingerprint);
});

const unreadable: [text: string, wanted: RegExp][] = [
  ["", /it is not JSON/],
  ["{", /it is not JSON/],
  ["[]", /it is not a JSON object/],
  ["null", /it is not a JSON object/],
  ['"x"', /it is not a JSON object/],
  ["{}", /its version is missing, and wanted is 1/],
  ['{"version":2,"registeredIds":{}}', /its version is 2/],
  ['{"version":"1","registeredIds":{}}', /its version is "1"/],
  ['{"version":1}', /no object "registeredIds"/],
  ['{"version":1,"registeredIds":[]}', /no object "registeredIds"/],
  ['{"version":1,"registeredIds":{},"maxRegisteredId":"x"}', /its maxRegisteredId is "x"/],
  ['{"version":1,"registeredIds":{},"maxRegisteredId":-1}', /its maxRegisteredId is -1/],
  ['{"version":1,"registeredIds":{},"maxRegisteredId":1.5}', /its maxRegisteredId is 1.5/],
  ['{"version":1,"registeredIds":{},"maxRegisteredPort":70000}', /its maxRegisteredPort is 70000/],
];
for (const [text, wanted] of unreadable) {
  test(`0.6 registry: ${JSON.stringify(text)} is refused as a whole`, () => {
    assert.throws(() => readLegacyRegistry(text), { name: "PetitError", code: "import-unreadable", message: wanted });
  });
}

const ed25519 = generateKeyPairSync("ed25519").publicKey.export({ type: "spki", format: "pem" }) as string;
const privatePem = PAIR.privateKey.export({ type: "pkcs8", format: "pem" }) as string;
const good = { port: 11081, key: SOME_KEY };
const bad: Record<string, { id?: string; entry: unknown; reasons: RegExp[] }> = {
  "an id that is no number": { id: "acme", entry: good, reasons: [/the id "acme" is not a number/] },
  "an id with a leading zero": { id: "01001", entry: good, reasons: [/the id "01001"/] },
  "an entry that is no object": { entry: 7, reasons: [/its entry is 7/] },
  "no port": { entry: { key: SOME_KEY }, reasons: [/its port is missing/] },
  "a port beyond the last": { entry: { ...good, port: 91080 }, reasons: [/its port is 91080/] },
  "a port as a text": { entry: { ...good, port: "11081" }, reasons: [/its port is "11081"/] },
  "no key": { entry: { port: 11081 }, reasons: [/its key cannot be used: it is missing/] },
  "a damaged key": {
    entry: { ...good, key: SOME_KEY.replace(/\n.{20}/, "\n") },
    reasons: [/its key cannot be used: it cannot be read/],
  },
  "a key of another kind": { entry: { ...good, key: ed25519 }, reasons: [/it is not an RSA key/] },
  "a private key": { entry: { ...good, key: privatePem }, reasons: [/it holds a private key/] },
  "an alias that is no host name": {
    entry: { ...good, aliases: ["fine.example", "not_a_name", 7, null] },
    reasons: [/its alias "not_a_name" is not a host name/],
  },
  "aliases that are no list": { entry: { ...good, aliases: "db.example" }, reasons: [/its aliases are not a list/] },
  "several things": { entry: { port: 0, aliases: ["a b"] }, reasons: [/port/, /key/, /alias/] },
};
for (const [what, { id = "1005", entry, reasons }] of Object.entries(bad)) {
  test(`0.6 registry: ${what} is a problem of its registration, and the others are read`, () => {
    const { registrations, problems } = readLegacyRegistry(legacyFile({
      "1001": good,
      [id]: entry as object,
    }, { maxRegisteredId: 1, maxRegisteredPort: 1 }));
    assert.deepEqual(registrations.map((registration) => registration.id), ["1001"]);
    assert.deepEqual(problems.map((problem) => problem.id), reasons.map(() => id));
    reasons.forEach((reason, i) => assert.match(problems[i]?.reason ?? "", reason));
  });
}
