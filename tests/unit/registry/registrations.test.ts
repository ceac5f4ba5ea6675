import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import test from "node:test";
import { MAX_OF_KEY } from "../../../src/registry/registry.ts";
import { contentsOf, imported, newRegistry, NOW, openFile, requestOf } from "./fixture.ts";

test("registry: ids count from 1001 and ports from 11081", (t) => {
  const { registry } = newRegistry(t);
  assert.equal(registry.nextPort(), 11081);
  const made = ["a", "b", "c"].map((holder) => registry.register(requestOf(registry, holder)));
  assert.deepEqual(made.map(({ id, port }) => [id, port]), [["1001", 11081], ["1002", 11082], ["1003", 11083]]);
  assert.equal(registry.nextPort(), 11084);
});

test("registry: a registration keeps what it was made of, over a restart too", (t) => {
  const { registry, file } = newRegistry(t);
  const made = registry.register(requestOf(registry, "a", { brand: "b", now: NOW + 5 }));
  assert.deepEqual(made, {
    id: "1001",
    port: 11081,
    key: "ssh-ed25519 a",
    fingerprint: "SHA256:a",
    brand: "b",
    tenant: "default",
    aliases: [],
    vitae: { brand: "b", version: "1.0.0", hostname: "a" },
    bindAddress: null,
    legacy: false,
    createdAt: NOW + 5,
  });
  assert.deepEqual(registry.registrations(), [made]);
  assert.deepEqual(openFile(t, file).registrations(), [made]);
});

test("registry: an id and a port that were given away are not given again by another instance", (t) => {
  const { registry, file } = newRegistry(t);
  registry.register(requestOf(registry, "a", { port: 11090 }));
  const other = openFile(t, file);
  assert.equal(other.nextPort(), 11091);
  const next = other.register(requestOf(other, "b"));
  assert.deepEqual([next.id, next.port], ["1002", 11091]);
  assert.equal(registry.nextPort(), 11092);
});

test("registry: a port below the highest may have been given away, and is refused", (t) => {
  const { registry } = newRegistry(t);
  registry.register(requestOf(registry, "a", { port: 11100 }));
  assert.throws(() => registry.register(requestOf(registry, "b", { port: 11085 })), { code: "port-taken" });
  assert.equal(registry.nextPort(), 11101);
});

test("registry: a port that belongs to another registration is refused, and nothing has changed", (t) => {
  const { registry } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  registry.addJoinCode({ hash: "h", brand: "", usesLeft: 1, expiresAt: NOW + 1 });
  const before = contentsOf(registry, "h");
  assert.throws(() => registry.register(requestOf(registry, "b", { port: 11081, joinHash: "h" })), {
    name: "PetitError",
    code: "port-taken",
    message: /11081/,
  });
  assert.deepEqual(contentsOf(registry, "h"), before);
  assert.equal(registry.register(requestOf(registry, "b", { joinHash: "h" })).id, "1002");
});

test("registry: one key can have several registrations", (t) => {
  const { registry } = newRegistry(t);
  const one = registry.register(requestOf(registry, "a"));
  const two = registry.register(requestOf(registry, "a", { tenant: "books" }));
  assert.notEqual(one.id, two.id);
  assert.notEqual(one.port, two.port);
});

test("registry: a key is given so many registrations and no more; those that it has stay, imported ones too", (t) => {
  const { registry } = newRegistry(t);
  const ofA = (more: Parameters<typeof requestOf>[2] = {}) => requestOf(registry, "a", { legacy: true, ...more });
  registry.import(
    Array.from({ length: MAX_OF_KEY - 1 }, (_, at) => imported(1001 + at, { fingerprint: "SHA256:a" })),
    { now: NOW },
  );
  const last = registry.register(ofA());
  registry.addJoinCode({ hash: "h", brand: "", usesLeft: 1, expiresAt: NOW + 1 });
  const before = contentsOf(registry, "h");
  for (const more of [{}, { legacy: false, tenant: "books" }, { joinHash: "h" }]) {
    assert.throws(() => registry.register(ofA(more)), {
      name: "PetitError",
      code: "too-many-registrations",
      message: /SHA256:a has 256 registrations already/,
    });
  }
  assert.deepEqual(contentsOf(registry, "h"), before);
  const { id, port } = last;
  assert.deepEqual(registry.register(ofA({ preferred: { id, port } })), last);
  registry.register(requestOf(registry, "b"));
  assert.equal(registry.import([imported(5001, { fingerprint: "SHA256:a" })], { now: NOW }).added.length, 1);
  registry.unregister("5001");
  registry.unregister(id);
  assert.deepEqual(registry.register(ofA({ preferred: { id, port } })), last);
});

test("registry: without a join code a tenant is registered once, and an answer that got lost comes again", (t) => {
  const { registry } = newRegistry(t);
  const lost = registry.register(requestOf(registry, "a", { tenant: "books" }));
  assert.deepEqual(registry.register(requestOf(registry, "a", { tenant: "books" })), lost);
  // What it had at another server.
  const preferred = { id: "77", port: 11157 };
  assert.deepEqual(registry.register(requestOf(registry, "a", { tenant: "books", preferred })), lost);
  assert.notEqual(registry.register(requestOf(registry, "b", { tenant: "books" })).id, lost.id, "another key");
  assert.equal(registry.registrations().length, 2);
});

test("registry: what a key has already is granted to it, and no code is used", (t) => {
  const { registry } = newRegistry(t);
  const own = registry.register(requestOf(registry, "a"));
  registry.addJoinCode({ hash: "h", brand: "", usesLeft: 1, expiresAt: NOW + 1 });
  const before = contentsOf(registry, "h");
  const again = registry.register(
    requestOf(registry, "a", { joinHash: "h", preferred: { id: own.id, port: own.port } }),
  );
  assert.deepEqual(again, own);
  assert.deepEqual(contentsOf(registry, "h"), before);
});

test("registry: what another key has is not granted to whoever asks for it", (t) => {
  const { registry } = newRegistry(t);
  const own = registry.register(requestOf(registry, "a"));
  const thief = registry.register(requestOf(registry, "b", { preferred: { id: own.id, port: own.port } }));
  assert.deepEqual([thief.id, thief.port, thief.fingerprint], ["1002", 11082, "SHA256:b"]);
  assert.deepEqual(registry.registrations()[0], own);
});

for (const id of ["1002", "", "x", "1001x", "01001x", "-1", "1e3", "9".repeat(15), "9".repeat(40)]) {
  test(`registry: whoever asks for the id ${JSON.stringify(id)}, which is nobody's, gets a new one`, (t) => {
    const { registry } = newRegistry(t);
    registry.register(requestOf(registry, "a"));
    const made = registry.register(requestOf(registry, "a", { tenant: "books", preferred: { id, port: 11081 } }));
    assert.deepEqual([made.id, made.port], ["1002", 11082]);
  });
}

test("registry: what a client tells of itself is kept for all registrations of its key, and for no other", (t) => {
  const { registry } = newRegistry(t);
  for (const [holder, tenant] of [["a", "default"], ["b", "default"], ["a", "books"]] as const) {
    registry.register(requestOf(registry, holder, { tenant }));
  }
  const vitae = { brand: "new", version: "2.0.0", hostname: "ü'\"" };
  registry.setVitae("SHA256:a", vitae);
  const [one, two, three] = registry.registrations();
  assert.deepEqual([one?.vitae, three?.vitae], [vitae, vitae]);
  assert.equal(two?.vitae?.hostname, "b");
  assert.equal(one?.brand, "ce", "the brand is what it registered with");
});

test("registry: the address that a client wants its port bound on is kept, over a restart too, and for no other", (t) => {
  const { registry, file } = newRegistry(t);
  for (const tenant of ["default", "books"]) registry.register(requestOf(registry, "a", { tenant }));
  for (const address of ["127.0.0.1", "", "0.0.0.0"]) {
    registry.setBindAddress("1002", address);
    for (const nobody of ["1003", "", "1002 OR 1", "*"]) registry.setBindAddress(nobody, "x");
    const kept = openFile(t, file).registrations().map(({ bindAddress }) => bindAddress);
    assert.deepEqual(kept, [null, address]);
  }
});

test("registry: nothing that a client sends is taken for SQL", (t) => {
  const { registry } = newRegistry(t);
  const nasty = "x'); DROP TABLE registrations; --";
  registry.register(requestOf(registry, nasty, { brand: nasty }));
  assert.throws(() => registry.addAlias("1001", nasty), { code: "alias-invalid" });
  assert.throws(() => registry.removeAlias("1001", nasty), { code: "alias-unknown" });
  assert.throws(() => registry.unregister(nasty), { code: "registration-unknown" });
  assert.throws(() => registry.revokeJoinCode(nasty), { code: "join-code-unknown" });
  const [made] = registry.registrations();
  assert.deepEqual([made?.brand, made?.fingerprint], [nasty, `SHA256:${nasty}`]);
});

test("registry: the file is there once it is open", (t) => {
  assert.ok(existsSync(newRegistry(t).file));
});
