import assert from "node:assert/strict";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { changeTenant } from "../../../src/client/change_tenant.ts";
import { lease } from "../../../src/client/lease.ts";
import { makeTenantFolder, removeTenantFolder } from "../../../src/client/tenant_folder.ts";
import { readTenants } from "../../../src/client/tenants.ts";
import { localSchema } from "../../../src/config/client_settings.ts";
import { temporaryFolder } from "../../world/world.ts";

const LOCAL = localSchema.parse({});
const WINDOWS = process.platform === "win32" && "Windows has no file modes";
const file = (folder: string) => join(folder, "tenants", "shop", "config.toml");

test("lease: a tenant gets a config that says what it is given, and the rest as in [client.local]", (t) => {
  const folder = temporaryFolder(t);
  const made = lease(folder, { ...LOCAL, host: "books.lan" }, { tenant: "shop", port: 9000, tls: true });
  assert.deepEqual(made.local, {
    host: "books.lan",
    port: 9000,
    tls: true,
    tlsVerify: true,
    tlsCa: "",
    probe: "connect",
  });
  assert.deepEqual([made.name, made.label, made.index], ["shop", "shop", 1]);
  assert.deepEqual(readTenants(folder, LOCAL), [made]);
  assert.match(readFileSync(file(folder), "utf8"), /^# Whether the service speaks TLS/m);
});

test("lease: its folder and config are their owner's only", { skip: WINDOWS }, (t) => {
  const folder = temporaryFolder(t);
  lease(folder, LOCAL, { tenant: "shop" });
  assert.equal(statSync(join(folder, "tenants", "shop")).mode & 0o777, 0o700);
  assert.equal(statSync(file(folder)).mode & 0o777, 0o600);
});

test("lease: without a name it is called by the next index, and never as one that is there", (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "tenants", "2"), { recursive: true });
  assert.deepEqual([lease(folder, LOCAL), lease(folder, LOCAL)].map(({ name, index }) => [name, index]), [
    ["1", 1],
    ["3", 2],
  ]);
});

test("lease: a name that is taken is refused, in large letters too, and nothing is changed", (t) => {
  const folder = temporaryFolder(t);
  lease(folder, LOCAL, { tenant: "shop", port: 1 });
  for (const tenant of ["shop", "SHOP"]) {
    assert.throws(() => lease(folder, LOCAL, { tenant, port: 2 }), { code: "tenant-exists" });
  }
  assert.throws(() => makeTenantFolder(folder, "shop", ""), { code: "tenant-exists" });
  assert.deepEqual(readTenants(folder, LOCAL).map(({ local }) => local.port), [1]);
});

test("lease: a bad name touches nothing", (t) => {
  const folder = temporaryFolder(t);
  assert.throws(() => lease(folder, LOCAL, { tenant: "../x" }), { code: "tenant-name-invalid" });
  assert.deepEqual(readdirSync(folder), []);
});

for (const host of ["a\x7f", "a\nb", ""]) {
  test(`lease: the host ${JSON.stringify(host)} is refused, and nothing is made`, (t) => {
    const folder = temporaryFolder(t);
    assert.throws(() => lease(folder, LOCAL, { tenant: "shop", host }), {
      code: "config-invalid",
      exitCode: 2,
      message: /^Cannot make the tenant "shop": "local.host" is /,
    });
    assert.deepEqual(readdirSync(folder), []);
  });
}

test("lease: a file of certificates may have any name that can be written down", (t) => {
  const folder = temporaryFolder(t);
  const tlsCa = join(folder, 'a\x7f"\\.pem');
  assert.equal(lease(folder, LOCAL, { tenant: "shop", tlsCa }).local.tlsCa, tlsCa);
});

test("tenant folder: what a dead process left on its way is taken away, what a living one has there stays", (t) => {
  const folder = temporaryFolder(t);
  // No process has the largest number.
  for (const name of [".dead.2147483646.tmp", `.alive.${process.ppid}.tmp`]) {
    mkdirSync(join(folder, "tenants", name), { recursive: true });
  }
  lease(folder, LOCAL, { tenant: "shop" });
  assert.deepEqual(readdirSync(join(folder, "tenants")).sort(), [`.alive.${process.ppid}.tmp`, "shop"]);
});

test("tenant folder: one that is removed is gone with all that is in it, and removing it again is no fault", (t) => {
  const folder = temporaryFolder(t);
  lease(folder, LOCAL, { tenant: "shop" });
  writeFileSync(join(folder, "tenants", "shop", "ca.pem"), "");
  removeTenantFolder(folder, "shop");
  removeTenantFolder(folder, "shop");
  assert.deepEqual(readdirSync(join(folder, "tenants")), []);
});

test("change tenant: a value is set, and comments stay", (t) => {
  const folder = temporaryFolder(t);
  lease(folder, LOCAL, { tenant: "shop" });
  writeFileSync(file(folder), "# mine\n[local] # here\nport = 1 # this one\n");
  changeTenant(folder, "shop", "port", 2, LOCAL);
  changeTenant(folder, "shop", "tls", true, LOCAL);
  const [tenant] = readTenants(folder, LOCAL);
  assert.deepEqual([tenant?.local.port, tenant?.local.tls], [2, true]);
  assert.match(readFileSync(file(folder), "utf8"), /^# mine\n\[local\] # here\n(?:tls = true\n)?port = 2 # this one\n/);
});

test("change tenant: a value that is wrong is refused, and nothing is written", (t) => {
  const folder = temporaryFolder(t);
  lease(folder, LOCAL, { tenant: "shop", port: 9000 });
  assert.throws(() => changeTenant(folder, "shop", "port", 70_000, LOCAL), {
    code: "config-invalid",
    exitCode: 2,
    message: /"local.port" is 70000/,
  });
  assert.equal(readTenants(folder, LOCAL)[0]?.local.port, 9000);
});

test("change tenant: one without a config gets one", (t) => {
  const folder = temporaryFolder(t);
  mkdirSync(join(folder, "tenants", "shop"), { recursive: true });
  changeTenant(folder, "shop", "port", 9000, { ...LOCAL, host: "books.lan" });
  assert.ok(existsSync(file(folder)));
  const [tenant] = readTenants(folder, LOCAL);
  assert.deepEqual([tenant?.local.host, tenant?.local.port], ["books.lan", 9000]);
});
