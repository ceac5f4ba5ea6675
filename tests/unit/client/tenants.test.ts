import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { forgetRegistration, readPreferred, writeRegistration } from "../../../src/client/state.ts";
import { knownTenant, readTenants } from "../../../src/client/tenants.ts";
import { localSchema } from "../../../src/config/client_settings.ts";
import { temporaryFolder } from "../../world/world.ts";

const LOCAL = { ...localSchema.parse({}), host: "books.lan", port: 5432 };
const given = (id: string, port: number) => ({
  registeredId: id,
  registeredPort: port,
  endpoint: `http://${id}.example.com`,
});

/** Writes files below `tenants/`, with their folders. */
function write(folder: string, files: Record<string, string>): void {
  for (const [name, content] of Object.entries(files)) {
    const file = join(folder, "tenants", name);
    mkdirSync(join(file, ".."), { recursive: true });
    writeFileSync(file, content);
  }
}

test("tenants: the default one comes first, the others by index and name", (t) => {
  const folder = temporaryFolder(t);
  assert.deepEqual(readTenants(folder, LOCAL), []);
  write(folder, {
    "b/config.toml": "index = 2\n",
    "c/config.toml": "index = 1\n",
    "z/registration": '{"id":"1002","port":11082}',
    "a/preferred": "",
    "default/registration": '{"id":"1001","port":11081}',
    ".DS_Store": "",
    ".x.1.tmp/config.toml": "",
    "a file": "",
  });
  assert.deepEqual(readTenants(folder, LOCAL).map(({ name }) => name), ["default", "c", "b", "a", "z"]);
});

test("tenants: a folder of 0.6.x is read as it is", (t) => {
  const folder = temporaryFolder(t);
  write(folder, {
    "3f2a90c1b4d5e6f7/config.toml":
      'name = "lease"\nindex = 1\n\n[local]\nhost = "localhost"\nport = 9000\ntls = false\n',
    "3f2a90c1b4d5e6f7/registration": '{"id":"1004","port":11084}',
    "3f2a90c1b4d5e6f7/preferred": '{"id":"1004","port":11084}\n',
    "3f2a90c1b4d5e6f7/endpoint": "http://1004.localhost:8090",
  });
  const [tenant] = readTenants(folder, LOCAL);
  assert.deepEqual(tenant, {
    name: "3f2a90c1b4d5e6f7",
    dir: join(folder, "tenants", "3f2a90c1b4d5e6f7"),
    label: "lease",
    index: 1,
    registration: { id: "1004", port: 11084 },
    preferred: { id: "1004", port: 11084 },
    endpoint: "http://1004.localhost:8090",
    local: { host: "localhost", port: 9000, tls: false, tlsVerify: true, tlsCa: "", probe: "connect" },
    allow: { methods: undefined, paths: undefined },
  });
});

test("tenants: what a config leaves out is as in [client.local], and its paths begin in its folder", (t) => {
  const folder = temporaryFolder(t);
  write(folder, {
    "default/registration": '{"id":"1001","port":11081}',
    "shop/config.toml": '[local]\nport = 9000\ntls = true\ntlsCa = "./ca.pem"\n',
  });
  const [first, shop] = readTenants(folder, LOCAL);
  assert.deepEqual(first?.local, LOCAL);
  const tlsCa = join(folder, "tenants", "shop", "ca.pem");
  assert.deepEqual(shop?.local, { ...LOCAL, port: 9000, tls: true, tlsCa });
});

test("tenants: the default one uses a config of its own where it has one", (t) => {
  const folder = temporaryFolder(t);
  write(folder, { "default/config.toml": "[local]\nport = 9000\n" });
  assert.equal(readTenants(folder, LOCAL)[0]?.local.port, 9000);
});

for (
  const [what, text, place] of [
    ["an unknown key", "[local]\nprot = 1\n", '2:1: Unknown key "prot" in [local]; did you mean "port"'],
    ["a wrong value", '[local]\n  port = "x"\n', '2:3: "local.port" is "x"; wanted a port'],
    ["no TOML", "[local\n", "2:1: This is not TOML"],
    ["a wrong index", 'index = "one"\n', '1:1: "index" is "one"; wanted a whole number'],
  ] as const
) {
  test(`tenants: ${what} in a config is told with its place`, (t) => {
    const folder = temporaryFolder(t);
    write(folder, { "shop/config.toml": text });
    assert.throws(() => readTenants(folder, LOCAL), (error: Error & { exitCode: number }) => {
      assert.ok(error.message.startsWith(`${join(folder, "tenants/shop/config.toml")}:${place}`), error.message);
      assert.equal(error.exitCode, 2);
      return true;
    });
  });
}

test("tenants: a name that was typed has to be there; the default one always is", (t) => {
  const folder = temporaryFolder(t);
  write(folder, { "of an older version/preferred": "" });
  assert.equal(knownTenant(folder, "default"), "default");
  assert.equal(knownTenant(folder, "of an older version"), "of an older version");
  assert.throws(() => knownTenant(folder, "shop"), { code: "tenant-unknown", exitCode: 2, hint: /lease -t shop/ });
  assert.throws(() => knownTenant(folder, "../tenants"), { code: "tenant-name-invalid", exitCode: 2 });
});

test("tenants: a registration that is forgotten is asked for the next time", (t) => {
  const folder = temporaryFolder(t);
  writeRegistration(folder, "default", given("1001", 11081));
  forgetRegistration(folder, "default", { id: "1001", port: 11081 });
  const [tenant] = readTenants(folder, LOCAL);
  assert.deepEqual([tenant?.registration, tenant?.endpoint], [undefined, undefined]);
  assert.deepEqual(tenant?.preferred, { id: "1001", port: 11081 });
  writeRegistration(folder, "default", given("1007", 11087));
  assert.deepEqual(readPreferred(folder, "default"), { id: "1007", port: 11087 });
});

test("tenants: a damaged wish asks for nothing", (t) => {
  const folder = temporaryFolder(t);
  write(folder, { "shop/preferred": "{" });
  assert.equal(readTenants(folder, LOCAL)[0]?.preferred, undefined);
});
