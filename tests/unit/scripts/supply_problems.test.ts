import assert from "node:assert/strict";
import test from "node:test";
import { type Lock, lockProblems, type Manifest, workflowProblems } from "../../../scripts/supply_problems.ts";

const HASH = `sha512-${"A".repeat(86)}==`;
const manifest: Manifest = { dependencies: { zod: "4.6.7" }, devDependencies: { ws: "8.23.0" } };
const lock: Lock = {
  packages: {
    "": manifest,
    "node_modules/zod": { version: "4.6.7", integrity: HASH },
    "node_modules/ws": { version: "8.23.0", integrity: HASH },
  },
};
const withZod = (zod: Lock["packages"][string]): Lock => ({ packages: { ...lock.packages, "node_modules/zod": zod } });

test("locked dependencies: a lock file that agrees is fine", () => {
  assert.deepEqual(lockProblems(manifest, lock), []);
});

test("locked dependencies: what is not locked to a version and a hash is told", () => {
  const cases: [Lock, RegExp][] = [
    [withZod({ version: "4.6.8", integrity: HASH }), /does not have "zod" in version 4\.6\.7/],
    [withZod({ version: "4.6.7" }), /"node_modules\/zod" has no SHA-512 hash/],
    [withZod({ version: "4.6.7", integrity: "sha1-AAAA" }), /no SHA-512 hash/],
    [withZod({ version: "4.6.7", integrity: HASH, link: true }), /no SHA-512 hash/],
    [
      withZod({ version: "4.6.7", integrity: HASH, resolved: "git+ssh://git@example.com/zod.git#1" }),
      /names an address, git/,
    ],
    [withZod({ version: "4.6.7", integrity: HASH, hasInstallScript: true }), /whether "zod" may run its install/],
    [{ packages: { ...lock.packages, "": { dependencies: {} } } }, /other dependencies than package\.json/],
  ];
  for (const [changed, wanted] of cases) assert.match(lockProblems(manifest, changed)[0] ?? "", wanted);
  const ranged = { ...manifest, dependencies: { zod: "^4.6.7" } };
  const agreeing = { packages: { ...lock.packages, "": ranged } };
  assert.match(lockProblems(ranged, agreeing)[0] ?? "", /"\^4\.6\.7", which is no exact version/);
});

test("workflows: actions are pinned to a commit, and permissions are declared", () => {
  const good = `name: ci\npermissions: {}\njobs:\n  a:\n    steps:\n      - uses: a/b@${"0".repeat(40)} # v1\n` +
    `      - uses: ./here\n      # - uses: a/b@v1\n`;
  assert.deepEqual(workflowProblems("ci.yml", good), []);
  assert.deepEqual(workflowProblems("ci.yml", good.replace("permissions: {}", "permissions:\n  contents: read")), []);
  const cases: [string, RegExp][] = [
    [good.replace("permissions: {}\n", ""), /no "permissions:"/],
    [good.replace("permissions: {}", "permissions: write-all"), /permissions/],
    [good.replace(/@0+ # v1/, "@v4"), /"a\/b@v4" is not pinned/],
    [good.replace("- uses: a/b@", '- uses: "a/b@main"\n      - uses: a/b@'), /"a\/b@main" is not pinned/],
    [good.replace("jobs:", "on:\n  pull_request_target:\njobs:"), /pull_request_target/],
  ];
  for (const [text, wanted] of cases) assert.match(workflowProblems("ci.yml", text).join("\n"), wanted);
});
