import assert from "node:assert/strict";
import test from "node:test";
import type { Registration, Registry } from "../../../src/registry/registry.ts";
import { Routes } from "../../../src/server/routes.ts";
import type { Scope } from "../../world/world.ts";

function registration(id: string, more: Partial<Registration> = {}): Registration {
  const fingerprint = "SHA256:a";
  return {
    id,
    port: Number(id) + 10080,
    key: "k",
    fingerprint,
    brand: "",
    tenant: "default",
    aliases: [],
    vitae: null,
    bindAddress: null,
    legacy: false,
    createdAt: 0,
    ...more,
  };
}

/** A registry that another process writes to. */
class FakeRegistry {
  list: Registration[];
  broken: Error | undefined;
  #version = 1;
  #onRead: () => void = () => {};

  constructor(list: Registration[]) {
    this.list = list;
  }

  registrations(): Registration[] {
    this.#onRead();
    return this.list;
  }

  version(): number {
    if (this.broken !== undefined) throw this.broken;
    return this.#version;
  }

  /** Changes it from outside; settles when that has been noticed. */
  change(list: Registration[]): Promise<void> {
    this.list = list;
    this.#version++;
    // The one who reads takes the answer in before it gives up the thread.
    return new Promise((resolve) => this.#onRead = () => queueMicrotask(resolve));
  }
}

function unexpected(error: unknown): never {
  throw error;
}

function routesOf(scope: Scope, list: Registration[], onError: (error: unknown) => void = unexpected) {
  const registry = new FakeRegistry(list);
  const routes = new Routes(registry as unknown as Registry, onError);
  scope.after(() => routes.close());
  return { routes, registry };
}

const LIST = [
  registration("1001", { aliases: ["db.example.com", "1002.special.example", "2001-x.example", "localhost"] }),
  registration("1002"),
  registration("12"),
];

const hosts: [host: string, id: string | undefined][] = [
  ["1001.example.com", "1001"],
  ["1002.example.com", "1002"],
  ["1001", "1001"],
  ["12", "12"],
  ["1001.", "1001"],
  ["1001.example.com:8090", "1001"],
  ["1001:8090", "1001"],
  ["1001:", "1001"],
  ["1001.EXAMPLE.com", "1001"],
  ["1001-staging.example.com", "1001"],
  ["1001-", "1001"],
  ["1001-1002.example.com", "1001"],
  ["1001.1002", "1001"],
  ["db.example.com", "1001"],
  ["DB.Example.COM:443", "1001"],
  ["localhost:8090", "1001"],
  ["1002.special.example", "1001"],
  ["2001-x.example", "1001"],
  ["1002.special.example.com", "1002"],
  ["x.db.example.com", undefined],
  ["db.example", undefined],
  ["10011.example.com", undefined],
  ["100.example.com", undefined],
  ["01001.example.com", undefined],
  ["1001x.example.com", undefined],
  ["x1001.example.com", undefined],
  ["x.1001", undefined],
  ["1001_.example.com", undefined],
  ["-1001", undefined],
  [".1001", undefined],
  [" 1001", undefined],
  ["", undefined],
  [":8090", undefined],
  ["[::1]", undefined],
  ["[::1]:1001", undefined],
  ["[1001::]", undefined],
  ["constructor", undefined],
  ["__proto__", undefined],
];

for (const [host, id] of hosts) {
  test(`routes: the host ${JSON.stringify(host)} means ${id ?? "nobody"}`, (t) => {
    const { routes } = routesOf(t, LIST);
    assert.equal(routes.byHost(host)?.id, id);
    assert.equal(routes.byHost(host)?.id, id, "remembered");
  });
}

test("routes: registrations are found by id, port and key", (t) => {
  const { routes } = routesOf(t, [registration("1001"), registration("1002", { fingerprint: "SHA256:b" })]);
  assert.equal(routes.byId("1002")?.port, 11082);
  assert.equal(routes.byId("1003"), undefined);
  assert.equal(routes.byPort(11081)?.id, "1001");
  assert.equal(routes.byPort(1), undefined);
  assert.deepEqual(routes.ofKey("SHA256:b").map(({ id }) => id), ["1002"]);
  assert.deepEqual(routes.ofKey("SHA256:none"), []);
  assert.deepEqual([...routes.all].map(({ id }) => id), ["1001", "1002"]);
});

test("routes: one that was just made is found at once, by everything", (t) => {
  const { routes } = routesOf(t, [registration("1001")]);
  assert.equal(routes.byHost("1002.example.com"), undefined);
  assert.equal(routes.byHost("new.example"), undefined);
  routes.add(registration("1002", { aliases: ["new.example"] }));
  assert.equal(routes.byHost("1002.example.com")?.id, "1002");
  assert.equal(routes.byHost("new.example")?.id, "1002");
  assert.equal(routes.byId("1002")?.id, "1002");
  assert.equal(routes.byPort(11082)?.id, "1002");
  assert.deepEqual(routes.ofKey("SHA256:a").map(({ id }) => id), ["1001", "1002"]);
});

test("routes: one that is added again takes the place of what was known of it", (t) => {
  const { routes } = routesOf(t, [registration("1001")]);
  assert.equal(routes.byHost("1001")?.brand, "");
  routes.add(registration("1001", { brand: "new" }));
  assert.equal(routes.byHost("1001")?.brand, "new");
  assert.deepEqual(routes.ofKey("SHA256:a").map(({ brand }) => brand), ["new"]);
});

test("routes: what another process changes is followed, remembered hosts too", async (t) => {
  const { routes, registry } = routesOf(t, [registration("1001", { aliases: ["db.example"] }), registration("1002")]);
  assert.equal(routes.byHost("db.example")?.id, "1001");
  await registry.change([registration("1002", { aliases: ["db.example"] })]);
  assert.equal(routes.byHost("db.example")?.id, "1002");
  assert.equal(routes.byHost("1001.example"), undefined);
  assert.deepEqual(routes.ofKey("SHA256:a").map(({ id }) => id), ["1002"]);
});

test("routes: while the registry cannot be read what was known stays, and goes on later", async (t) => {
  let told: (error: unknown) => void = () => {};
  const failure = new Promise((resolve) => told = resolve);
  const { routes, registry } = routesOf(t, [registration("1001")], (error) => told(error));
  registry.broken = new Error("disk gone");
  assert.equal(await failure, registry.broken);
  assert.equal(routes.byHost("1001")?.id, "1001");
  registry.broken = undefined;
  await registry.change([registration("1002")]);
  assert.equal(routes.byHost("1002")?.id, "1002");
});

test("routes: a registry that breaks while it is read is read again", async (t) => {
  let told: (error: unknown) => void = () => {};
  const failure = new Promise((resolve) => told = resolve);
  const { routes, registry } = routesOf(t, [registration("1001")], (error) => told(error));
  const read = registry.registrations;
  registry.registrations = () => {
    registry.registrations = read;
    throw new Error("busy");
  };
  const noticed = registry.change([registration("1002")]);
  await failure;
  await noticed;
  assert.equal(routes.byHost("1002")?.id, "1002");
});

test("routes: a registration that is taken away leads nowhere, and those of the same key stay", (t) => {
  const one = registration("1001", { aliases: ["one.example.com"] });
  const other = registration("1002", { aliases: ["other.example.com"] });
  const { routes } = routesOf(t, [one, other]);
  const removed: string[] = [];
  routes.onRemoved = ({ id }) => removed.push(id);
  assert.equal(routes.byHost("one.example.com"), one);
  routes.remove("1001");
  routes.remove("1001");
  assert.deepEqual(removed, ["1001"]);
  const left = [routes.byId("1001"), routes.byPort(one.port), routes.byHost("one.example.com"), routes.byHost("1001")];
  assert.deepEqual(left, [undefined, undefined, undefined, undefined]);
  assert.deepEqual(routes.ofKey(one.fingerprint), [other]);
  assert.equal(routes.byHost("other.example.com"), other);
});
