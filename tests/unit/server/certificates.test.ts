import assert from "node:assert/strict";
import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { type Certificates, readCertificates, watchCertificates } from "../../../src/server/certificates.ts";
import { FIRST, SECOND } from "../../world/certificates.ts";
import { type Scope, temporaryFolder } from "../../world/world.ts";

const SLOW = { timeout: 30_000 };
const INVALID = { name: "PetitError", code: "certificates-invalid" };

function write(folder: string, { key, cert }: Partial<Certificates>): void {
  mkdirSync(folder, { recursive: true });
  if (key !== undefined) writeFileSync(join(folder, "server.key"), key, { mode: 0o600 });
  if (cert !== undefined) writeFileSync(join(folder, "server.crt"), cert);
}

function folderWith(scope: Scope, certificates: Partial<Certificates>): string {
  const folder = temporaryFolder(scope);
  write(folder, certificates);
  return folder;
}

test("certificates: a folder without both files has none", (t) => {
  assert.equal(readCertificates(join(temporaryFolder(t), "none")), undefined);
  assert.equal(readCertificates(folderWith(t, {})), undefined);
  assert.equal(readCertificates(folderWith(t, { key: FIRST.key })), undefined);
  assert.equal(readCertificates(folderWith(t, { cert: FIRST.cert })), undefined);
});

test("certificates: a key and its certificate are read", (t) => {
  assert.deepEqual(readCertificates(folderWith(t, FIRST)), FIRST);
});

test("certificates: the chain follows the server's own certificate, on a line of its own", (t) => {
  const folder = folderWith(t, { key: FIRST.key, cert: FIRST.cert.trimEnd() });
  writeFileSync(join(folder, "ca.bundle"), SECOND.cert);
  assert.equal(readCertificates(folder)?.cert, FIRST.cert + SECOND.cert);
});

test("certificates: a certificate file that holds its chain is read as a whole", (t) => {
  const cert = FIRST.cert + SECOND.cert;
  assert.deepEqual(readCertificates(folderWith(t, { key: FIRST.key, cert })), { key: FIRST.key, cert });
});

const unusable: Record<string, Partial<Certificates>> = {
  "a key of another certificate": { key: SECOND.key, cert: FIRST.cert },
  "a key that is none": { key: "hello", cert: FIRST.cert },
  "a certificate that is none": { key: FIRST.key, cert: "hello" },
  "an empty key": { key: "", cert: FIRST.cert },
  "an empty certificate": { key: FIRST.key, cert: "" },
  "a certificate that is cut off": { key: FIRST.key, cert: FIRST.cert.slice(0, 200) },
  "the two files mixed up": { key: FIRST.cert, cert: FIRST.key },
};

for (const [name, certificates] of Object.entries(unusable)) {
  test(`certificates: ${name} cannot be used, and the folder is named`, (t) => {
    const folder = folderWith(t, certificates);
    assert.throws(() => readCertificates(folder), (error: Error & { code: string }) => {
      assert.equal(error.code, INVALID.code);
      assert.ok(error.message.startsWith(`Cannot use the certificates in "${folder}": `), error.message);
      assert.doesNotMatch(error.message, /BEGIN|MIG/, "no part of the key is repeated");
      return true;
    });
  });
}

/** Settles when a watcher of the folder notices something. */
function noticed(scope: Scope, folder: string): Promise<void> {
  return new Promise((resolve) => scope.after(watchCertificates(folder, resolve)));
}

test("certificates: files that come later are noticed", SLOW, async (t) => {
  const folder = join(temporaryFolder(t), "certificates");
  const change = noticed(t, folder);
  write(folder, FIRST);
  await change;
});

test("certificates: a renewed certificate is noticed", SLOW, async (t) => {
  const folder = folderWith(t, FIRST);
  const change = noticed(t, folder);
  writeFileSync(join(folder, "new"), SECOND.cert);
  renameSync(join(folder, "new"), join(folder, "server.crt"));
  await change;
});

test("certificates: a chain that goes is noticed", SLOW, async (t) => {
  const folder = folderWith(t, FIRST);
  writeFileSync(join(folder, "ca.bundle"), SECOND.cert);
  const change = noticed(t, folder);
  rmSync(join(folder, "ca.bundle"));
  await change;
});

const links = { ...SLOW, skip: process.platform === "win32" && "links need a right on Windows" };

test(
  "certificates: a link that leads to another folder is noticed, as Kubernetes and certbot renew",
  links,
  async (t) => {
    const folder = temporaryFolder(t);
    write(join(folder, "one"), FIRST);
    cpSync(join(folder, "one"), join(folder, "two"), { recursive: true, preserveTimestamps: true });
    symlinkSync("one", join(folder, "current"));
    const change = noticed(t, join(folder, "current"));
    symlinkSync("two", join(folder, "next"));
    renameSync(join(folder, "next"), join(folder, "current"));
    await change;
  },
);

test("certificates: a watcher that was stopped, or has nothing to tell, tells nothing", SLOW, async (t) => {
  const [changing, quiet] = [folderWith(t, FIRST), folderWith(t, FIRST)];
  const told: string[] = [];
  const stop = watchCertificates(changing, () => told.push("stopped"));
  t.after(watchCertificates(quiet, () => told.push("quiet")));
  stop();
  // Each of another size: a file can be written twice within the exactness of its time.
  for (const cert of [FIRST.cert + SECOND.cert, FIRST.cert]) {
    const change = noticed(t, changing);
    write(changing, { cert });
    await change;
  }
  assert.deepEqual(told, []);
});
