import assert from "node:assert/strict";
import test from "node:test";
import { HostKeysKnown } from "../../../../src/server/host_key/host_keys_known.ts";
import { newRegistry, openFile } from "../../registry/fixture.ts";

test("known host keys: they are kept, changed and forgotten by client", (t) => {
  const { registry, file } = newRegistry(t);
  registry.setHostKeysKnown(new Map([["SHA256:a", "SHA256:1"], ["SHA256:b", "SHA256:1"]]));
  registry.setHostKeysKnown(new Map([["SHA256:b", "SHA256:2"], ["SHA256:a", null], ["SHA256:c", null]]));
  assert.deepEqual([...registry.hostKeysKnown()], [["SHA256:b", "SHA256:2"]]);
  registry.close();
  assert.deepEqual([...openFile(t, file).hostKeysKnown()], [["SHA256:b", "SHA256:2"]]);
});

test("known host keys: what clients say together is written together, and at the end in any case", (t) => {
  const { registry } = newRegistry(t);
  let writes = 0;
  const counted = new Proxy(registry, {
    get(target, name) {
      if (name === "setHostKeysKnown") writes++;
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const known = new HostKeysKnown(counted, (error) => assert.fail(String(error)));
  for (let number = 0; number < 1000; number++) known.set(`SHA256:${number}`, "SHA256:next", true);
  known.set("SHA256:7", "SHA256:next", false);
  assert.equal(known.of("SHA256:8"), "SHA256:next");
  assert.equal(writes, 0);
  known.close();
  assert.equal(writes, 1);
  assert.equal(registry.hostKeysKnown().size, 999);
  known.close();
  assert.equal(writes, 1);
});

test("known host keys: what cannot be written is tried again, and said", (t) => {
  const { registry } = newRegistry(t);
  let broken = true;
  const failures: unknown[] = [];
  const failing = new Proxy(registry, {
    get(target, name) {
      if (name === "setHostKeysKnown" && broken) {
        return () => {
          throw new Error("the disk is full");
        };
      }
      const value = Reflect.get(target, name, target);
      return typeof value === "function" ? value.bind(target) : value;
    },
  });
  const known = new HostKeysKnown(failing, (error) => failures.push(error));
  known.set("SHA256:a", "SHA256:next", true);
  known.close();
  assert.equal(failures.length, 1);
  assert.equal(known.of("SHA256:a"), "SHA256:next");
  broken = false;
  known.set("SHA256:b", "SHA256:next", true);
  known.close();
  assert.deepEqual([...registry.hostKeysKnown().keys()].sort(), ["SHA256:a", "SHA256:b"]);
});
