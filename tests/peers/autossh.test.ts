import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import process from "node:process";
import { eventually } from "../world/eventually.ts";
import { background } from "../world/processes.ts";
import { getOnce, statusOf } from "../world/raw_http.ts";
import { openssh } from "./plain_clients.ts";
import { makePlainWorld, registerKey, startPlainService } from "./plain_ssh.ts";
import { type Need, peerTest, program } from "./peer_test.ts";

const LINUX: Need = { name: "Linux's /proc", met: () => process.platform === "linux" };

/** The one process that another one has started. */
function childOf(pid: number): number | undefined {
  return readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map(Number).find((candidate) => {
    try {
      return readFileSync(`/proc/${candidate}/stat`, "latin1").replace(/^.*\) . /s, "").startsWith(`${pid} `);
    } catch {
      // It has ended since it was listed.
      return false;
    }
  });
}

peerTest("autossh brings the tunnel back when its connection is killed, or frozen and taken over", [
  "ssh",
  "ssh-keygen",
  "autossh",
  LINUX,
], async (t) => {
  const world = await makePlainWorld(t);
  const { registeredId: id, registeredPort: port } = await registerKey(world, `${world.keyFile}.pub`);
  const service = await startPlainService(t);
  const args = [...openssh.identity(world), "-N", "-R", `${port}:localhost:${service.port}`, `${id}@127.0.0.1`];
  // AUTOSSH_GATETIME=0: also what ends within 30 s of its start is started again.
  const env = { AUTOSSH_GATETIME: "0", AUTOSSH_PATH: program("ssh") };
  const autossh = background(t, program("autossh"), ["-M", "0", ...args], { env });
  const serves = async () => statusOf(await getOnce(world.server.proxyPort, `${id}.127.0.0.1`)) === 200;
  await eventually("serves", serves);
  const first = childOf(autossh.child.pid as number) as number;
  process.kill(first, "SIGKILL");
  await eventually("another ssh", () => {
    const now = childOf(autossh.child.pid as number);
    return now !== undefined && now !== first;
  });
  // Callers wait meanwhile.
  assert.ok(await serves());
  // One whose machine hangs is not waited for: the next connection takes over from it.
  const frozen = childOf(autossh.child.pid as number) as number;
  process.kill(frozen, "SIGSTOP");
  const other = background(t, program("autossh"), ["-M", "0", ...args], { env });
  await world.server.daemon.logged(({ msg }) => msg === `${id} took over from its older tunnel`);
  assert.ok(await serves());
  process.kill(frozen, "SIGKILL");
  await autossh.stop();
  await other.stop();
});
