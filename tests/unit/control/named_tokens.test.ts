import assert from "node:assert/strict";
import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { apiToken, isApiToken, scopeOfToken } from "../../../src/control/api_token.ts";
import { addToken, namedTokens, revokeToken } from "../../../src/control/named_tokens.ts";
import { temporaryFolder } from "../../world/temporary_folder.ts";

test("named tokens: each has its name and scope, and ends with its revocation", (t) => {
  const folder = temporaryFolder(t);
  assert.deepEqual(namedTokens(folder), []);
  const reading = addToken(folder, "prometheus", "read");
  const full = addToken(folder, "deploy", "all");
  assert.equal(Buffer.from(reading, "base64url").length, 32);
  assert.deepEqual(namedTokens(folder).map(({ name, scope }) => [name, scope]), [["deploy", "all"], [
    "prometheus",
    "read",
  ]]);
  const scopes = () => [reading, full, apiToken(folder), "x".repeat(43), ""].map((one) => scopeOfToken(folder, one));
  assert.deepEqual(scopes(), ["read", "all", "all", undefined, undefined]);
  assert.equal(isApiToken(folder, full), false);
  revokeToken(folder, "prometheus");
  assert.deepEqual(scopes(), [undefined, "all", "all", undefined, undefined]);
  assert.throws(() => revokeToken(folder, "prometheus"), { code: "token-unknown", hint: "There are: deploy" });
  assert.notEqual(addToken(folder, "prometheus", "read"), reading);
});

test("named tokens: what is kept is a hash, for its owner's eyes only", (t) => {
  const folder = temporaryFolder(t);
  const token = addToken(folder, "script", "all");
  const files = join(folder, "api-tokens");
  assert.deepEqual(readdirSync(files), ["script"]);
  const file = join(files, "script");
  assert.ok(!readFileSync(file, "utf8").includes(token));
  if (process.platform === "win32") return;
  assert.deepEqual([statSync(files).mode & 0o777, statSync(file).mode & 0o777], [0o700, 0o600]);
  // Somebody else may have written it.
  chmodSync(file, 0o622);
  assert.equal(scopeOfToken(folder, token), undefined);
});

test("named tokens: a name is taken once, and leads nowhere else", (t) => {
  const folder = temporaryFolder(t);
  const first = addToken(folder, "a", "all");
  assert.throws(() => addToken(folder, "a", "read"), { code: "token-exists" });
  assert.equal(scopeOfToken(folder, first), "all");
  for (const name of ["", ".", "..", "../a", "a/b", "A", ".a", "-a", "a b", "x".repeat(65), "a\n"]) {
    assert.throws(() => addToken(folder, name, "all"), { code: "token-name-invalid" }, name);
    assert.throws(() => revokeToken(folder, name), { code: "token-unknown" }, name);
  }
  assert.deepEqual(readdirSync(folder), ["api-tokens"]);
});

test("named tokens: a damaged file lets nobody in, and harms no other", (t) => {
  const folder = temporaryFolder(t);
  const good = addToken(folder, "good", "read");
  for (const [name, text] of [["a", ""], ["b", "{}"], ["c", '{"scope":"all","hash":""}'], ["d", "null"]] as const) {
    writeFileSync(join(folder, "api-tokens", name), text, { mode: 0o600 });
  }
  assert.deepEqual(namedTokens(folder).map(({ name }) => name), ["good"]);
  assert.equal(scopeOfToken(folder, good), "read");
});
