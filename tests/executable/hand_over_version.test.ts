import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { petit } from "../world/executable.ts";
import { temporaryFolder } from "../world/temporary_folder.ts";

test("a successor that does not know the predecessor's way to hand over says so, and touches nothing", async (t) => {
  const folder = temporaryFolder(t);
  const config = join(folder, "config.toml");
  const { code, stdout } = await petit(["server", "run", "-c", config], {
    env: { PETIT_SUCCESSOR: "1", HOME: folder },
    input: '{"version":2,"sockets":{"sealed":true}}\n',
  });
  assert.equal(code, 1);
  const told = JSON.parse(stdout) as { code: string; message: string };
  assert.equal(told.code, "handover-unsupported", "the daemon is stopped and started instead");
  assert.match(told.message, /different versions$/);
  assert.ok(!existsSync(config));
});
