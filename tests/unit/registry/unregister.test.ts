import assert from "node:assert/strict";
import test from "node:test";
import { newRegistry, NOW, openFile, requestOf } from "./fixture.ts";

const OWN = { id: "1001", port: 11081 };

test("unregister: the registration and its aliases are gone, for others who look too, and no other is", (t) => {
  const { registry, file } = newRegistry(t);
  const other = openFile(t, file);
  for (const holder of ["a", "b"]) registry.register(requestOf(registry, holder));
  registry.addAlias("1001", "db.example");
  const [made] = registry.registrations();
  const before = other.version();
  assert.deepEqual(registry.unregister("1001"), made, "it says what was taken away");
  assert.deepEqual(other.registrations().map(({ id }) => id), ["1002"]);
  assert.notEqual(other.version(), before);
  registry.addAlias("1002", "db.example");
});

test("unregister: what is not there cannot be taken away, however it is written", (t) => {
  const { registry } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  for (const id of ["1002", "", "x", "01001", "1001 ", "1001.0", "1e3", "0x3e9", "-1"]) {
    assert.throws(() => registry.unregister(id), {
      name: "PetitError",
      code: "registration-unknown",
      message: `There is no registration "${id}"`,
    });
  }
  assert.equal(registry.registrations().length, 1);
});

test("unregister: the key that gave back an id gets it and its port again when it asks for them", (t) => {
  const { registry, file } = newRegistry(t);
  for (const holder of ["a", "b"]) registry.register(requestOf(registry, holder));
  registry.unregister("1001");
  const other = openFile(t, file);
  const again = other.register(requestOf(other, "a", { preferred: OWN, brand: "new", tenant: "books", now: NOW + 9 }));
  assert.deepEqual([again.id, again.port, again.fingerprint], ["1001", 11081, "SHA256:a"]);
  assert.deepEqual([again.brand, again.tenant, again.createdAt], ["new", "books", NOW + 9], "but it is a new one");
  assert.deepEqual(registry.registrations().map(({ id }) => id), ["1001", "1002"]);
  assert.equal(registry.nextPort(), 11083);
});

test("unregister: an id that was given back is given to no other key, whether it asks for it or not", (t) => {
  const { registry } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  registry.unregister("1001");
  const asked = registry.register(requestOf(registry, "b", { preferred: OWN }));
  assert.deepEqual([asked.id, asked.port], ["1002", 11082]);
  const not = registry.register(requestOf(registry, "a"));
  assert.deepEqual([not.id, not.port], ["1003", 11083], "its own key has to ask for it");
  assert.equal(registry.register(requestOf(registry, "a", { preferred: OWN })).id, "1001");
});

test("unregister: a port that was given back is refused to others, as one that is in use", (t) => {
  const { registry } = newRegistry(t);
  registry.register(requestOf(registry, "a"));
  registry.unregister("1001");
  assert.throws(() => registry.register(requestOf(registry, "b", { port: 11081 })), { code: "port-taken" });
  assert.equal(registry.registrations().length, 0);
});

test("unregister: a key that registers again needs a join code, and uses it", (t) => {
  const { registry } = newRegistry(t);
  registry.addJoinCode({ hash: "h", brand: "", usesLeft: 2, expiresAt: NOW + 1 });
  registry.register(requestOf(registry, "a", { joinHash: "h" }));
  registry.unregister("1001");
  const again = registry.register(requestOf(registry, "a", { joinHash: "h", preferred: OWN }));
  assert.equal(again.id, "1001");
  assert.equal(registry.joinCode("h")?.usesLeft, 0);
  registry.unregister("1001");
  const third = requestOf(registry, "a", { joinHash: "h", preferred: OWN });
  assert.throws(() => registry.register(third), { code: "join-code-used" });
  assert.equal(registry.registrations().length, 0);
});

test("unregister: an id whose address has become another's alias since is not given again", (t) => {
  const { registry } = newRegistry(t);
  for (const holder of ["a", "b", "c"]) registry.register(requestOf(registry, holder));
  registry.unregister("1001");
  registry.addAlias("1002", "1001.example.com");
  assert.equal(registry.register(requestOf(registry, "a", { preferred: OWN })).id, "1004");
  registry.removeAlias("1002", "1001.example.com");
  assert.equal(registry.register(requestOf(registry, "a", { preferred: OWN })).id, "1001");
});
