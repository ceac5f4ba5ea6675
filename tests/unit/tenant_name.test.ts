import assert from "node:assert/strict";
import test from "node:test";
import { checkTenantName, isTenantName } from "../../src/tenant_name.ts";

for (
  const name of ["default", "1", "shop-2.eu_west", "A", "a".repeat(64), "-", "_", "console", "com", "lpt10", "nul-1"]
) {
  test(`tenant name: ${JSON.stringify(name)} is one`, () => {
    assert.equal(isTenantName(name), true);
    checkTenantName(name);
  });
}

for (
  const name of [
    "",
    ".",
    "..",
    ".hidden",
    "ends.",
    "../x",
    "a/b",
    "a\\b",
    "/etc",
    "C:",
    "a b",
    "a\n",
    "\0",
    "ü",
    "a".repeat(65),
    "CON",
    "con.txt",
    "nul",
    "AUX",
    "prn",
    "com1",
    "LPT9.log",
  ]
) {
  test(`tenant name: ${JSON.stringify(name.slice(0, 20))} is refused as wrong usage`, () => {
    assert.equal(isTenantName(name), false);
    assert.throws(() => checkTenantName(name), { code: "tenant-name-invalid", exitCode: 2, hint: /64 letters/ });
  });
}
