import assert from "node:assert/strict";
import { join } from "node:path";
import process from "node:process";
import test from "node:test";
import { fileURLToPath } from "node:url";
import { run } from "../../../world/processes.ts";
import { temporaryFolder } from "../../../world/temporary_folder.ts";

const SCRIPT = join(fileURLToPath(import.meta.url), "..", "stop_and_signal.ts");
const WINDOWS = process.platform === "win32" && "Windows has no signals";

test("daemon: one that has stopped in order ends with 0, whatever signal comes until it is gone", {
  skip: WINDOWS,
}, async (t) => {
  const runtime = "deno" in process.versions ? ["run", "--allow-all", SCRIPT] : [SCRIPT];
  const { code, stderr } = await run(process.execPath, [...runtime, temporaryFolder(t)]);
  assert.match(stderr, /The server has stopped/);
  assert.equal(code, 0);
});
