import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { apiToken, isApiToken } from "../../../src/control/api_token.ts";
import { temporaryFolder } from "../../world/temporary_folder.ts";

const isWindows = process.platform === "win32";

test("the token is made at first need, 256 bits for its owner's eyes only, and stays", (t) => {
  const folder = temporaryFolder(t);
  const token = apiToken(folder);
  assert.equal(Buffer.from(token, "base64url").length, 32);
  assert.equal(apiToken(folder), token);
  assert.deepEqual(readdirSync(folder), ["api-token"]);
  if (!isWindows) assert.equal(statSync(join(folder, "api-token")).mode & 0o777, 0o600);
  assert.notEqual(apiToken(temporaryFolder(t)), token);
});

test("a token that others can read is refused", { skip: isWindows && "Windows has no file modes" }, (t) => {
  const folder = temporaryFolder(t);
  const token = apiToken(folder);
  for (const mode of [0o640, 0o604, 0o660, 0o644]) {
    chmodSync(join(folder, "api-token"), mode);
    assert.throws(() => apiToken(folder), { code: "token-exposed" });
    assert.throws(() => isApiToken(folder, token), { code: "token-exposed" });
  }
  chmodSync(join(folder, "api-token"), 0o400);
  assert.equal(apiToken(folder), token);
});

test("a file that holds something else is not taken for a token", (t) => {
  const folder = temporaryFolder(t);
  for (const text of ["", "\n", "short", "x".repeat(44), "=".repeat(43)]) {
    writeFileSync(join(folder, "api-token"), text, { mode: 0o600 });
    assert.throws(() => apiToken(folder), { code: "token-damaged" }, text);
  }
});

test("only the whole token is the token, and a new file counts at once", (t) => {
  const folder = temporaryFolder(t);
  const token = apiToken(folder);
  assert.equal(isApiToken(folder, token), true);
  for (const other of ["", token.slice(0, -1), `${token}A`, token.toUpperCase(), ` ${token}`]) {
    assert.equal(isApiToken(folder, other), false);
  }
  rmSync(join(folder, "api-token"));
  const fresh = apiToken(folder);
  assert.deepEqual([isApiToken(folder, token), isApiToken(folder, fresh)], [false, true]);
});

test("daemons that begin together on one folder have one token", async (t) => {
  const folder = temporaryFolder(t);
  const program = join(folder, "token.ts");
  const source = new URL("../../../src/control/api_token.ts", import.meta.url).pathname;
  writeFileSync(
    program,
    `import { apiToken } from ${JSON.stringify(source)};\nconsole.log(apiToken(${JSON.stringify(folder)}));\n`,
  );
  const args = process.versions["deno"] === undefined ? [program] : ["run", "-A", "--no-check", program];
  const tokens = await Promise.all(Array.from({ length: 4 }, async () => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "inherit"] });
    let text = "";
    child.stdout.setEncoding("utf8").on("data", (part) => text += part);
    await once(child, "close");
    return text.trim();
  }));
  assert.deepEqual(new Set(tokens), new Set([readFileSync(join(folder, "api-token"), "utf8").trim()]));
});
