import assert from "node:assert/strict";
import { mkdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { configSchema } from "../../../../src/config/schema.ts";
import { silentLog } from "../../../../src/observe/log.ts";
import { OnceAMinute } from "../../../../src/observe/once_a_minute.ts";
import { KnownSources } from "../../../../src/server/login/known_sources.ts";
import { LoginGuard } from "../../../../src/server/login/login_guard.ts";
import { type Scope, temporaryFolder } from "../../../world/temporary_folder.ts";

const SETTINGS = configSchema.parse({}).server.ssh;

function begun(t: Scope, file: string) {
  const guard = new LoginGuard(SETTINGS, { mostForStartups: Infinity });
  const sources = new KnownSources({ guard, file, log: silentLog(), noise: new OnceAMinute() });
  t.after(() => sources.close());
  const logIn = (address: string) => {
    const startup = guard.admit(address, () => {});
    assert.ok(startup);
    guard.loggedIn(startup);
  };
  return { guard, sources, logIn };
}

test("sources that have a client are known to the next process, strangers are not", (t) => {
  const file = join(temporaryFolder(t), "known_sources");
  const one = begun(t, file);
  one.logIn("192.0.2.1");
  one.logIn("2001:db8::1");
  one.guard.admit("192.0.2.9", () => {});
  one.sources.close();
  if (process.platform !== "win32") assert.equal(statSync(file).mode & 0o777, 0o600);
  assert.deepEqual(begun(t, file).guard.known.sort(), ["192.0.2.1", "2001:db8:0:0:0:0:0:0/64"]);
});

test("a file that holds anything else is no fault, and one that cannot be written neither", (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "known_sources");
  writeFileSync(file, `192.0.2.1\n\x1b[2Jnobody\n${"1".repeat(100_000)}\n\n198.51.100.0/24\n`);
  const { guard, sources, logIn } = begun(t, file);
  assert.deepEqual(guard.known, ["192.0.2.1", "198.51.100.0/24"]);
  logIn("192.0.2.2");
  sources.keep();
  assert.equal(readFileSync(file, "utf8"), "192.0.2.1\n198.51.100.0/24\n192.0.2.2\n");
  const other = begun(t, join(folder, "nowhere"));
  mkdirSync(join(folder, "nowhere"));
  other.logIn("192.0.2.3");
  other.sources.keep();
});
