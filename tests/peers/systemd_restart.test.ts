import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import test from "node:test";
import { systemdUnit } from "../../src/platform/service/systemd_unit.ts";
import { eventually } from "../world/eventually.ts";
import { petitExecutable, ServerProcess } from "../world/executable.ts";
import { BootedSystemd, whyNoSystemd } from "./booted_systemd.ts";

const skip = whyNoSystemd();
if (skip !== undefined) console.error(`(skip) under systemd: ${skip}`);

test(
  'under systemd, "petit server restart" makes the new process the service\'s, and a stop waits for that one',
  { timeout: 60_000, ...(skip === undefined ? {} : { skip }) },
  async (t) => {
    const server = await ServerProcess.init(t, { "server.drainFor": "1s" });
    const systemd = await BootedSystemd.boot(t);
    const unit = "petit-server.service";
    const definition = {
      role: "server",
      executable: petitExecutable,
      config: server.config,
      writable: [server.folder],
    };
    await systemd.add(unit, systemdUnit({ ...definition, stopTimeout: 30, uid: 0 } as never, "user"));
    const show = (name: string) => systemd.property(unit, name);
    const petit = (...args: string[]) =>
      systemd.run(petitExecutable, ["server", ...args, "-c", server.config, "--json"], { HOME: server.folder });
    const logged = () => readFileSync(join(server.folder, "logs", "server.log"), "utf8");

    assert.equal((await systemd.run("systemctl", ["start", unit])).code, 0);
    assert.equal((await petit("start")).code, 0);
    for (let times = 1; times <= 2; times++) {
      const before = await show("MainPID");
      const { code, stdout, stderr } = await petit("restart");
      assert.equal(code, 0, stderr);
      const { pid } = JSON.parse(stdout) as { pid: number };
      assert.equal(await show("MainPID"), String(pid));
      assert.notEqual(before, String(pid));
      // The old process ends by itself, and the service is the same as before.
      const stopped = () => logged().split("The server has stopped").length - 1;
      await eventually("the old process has ended", () => stopped() === times);
      assert.deepEqual([await show("ActiveState"), await show("NRestarts")], ["active", "0"]);
    }
    assert.equal((await systemd.run("systemctl", ["stop", unit])).code, 0);
    assert.deepEqual([await show("ActiveState"), await show("Result")], ["inactive", "success"]);
    assert.match(logged().trimEnd().split("\n").at(-1) as string, /The server has stopped/);
  },
);
