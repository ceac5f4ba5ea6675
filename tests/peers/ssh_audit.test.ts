import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { ServerProcess, type Settings } from "../world/executable.ts";
import { run } from "../world/processes.ts";
import { peerTest, program } from "./peer_test.ts";

/** What ssh-audit says that nothing can be done about, with the reason. */
const EXPLAINED: readonly [remark: RegExp, reason: string][] = [
  [/does not provide protection against post-quantum attacks/, "the SSH library has no such key exchange"],
  [/kex-strict-s-v00@openssh\.com .*unknown algorithm/, "versions before 3.2 do not know strict key exchange"],
];

/** All failures and warnings, as "algorithm remark". */
async function audit(t: TestContext, settings: Settings = {}): Promise<{ report: string; remarks: string[] }> {
  const server = await (await ServerProcess.init(t, settings)).start();
  const { stdout: report } = await run(program("ssh-audit"), ["-n", "-p", String(server.sshPort), "127.0.0.1"]);
  let algorithm = "";
  const remarks = report.split("\n").flatMap((line) => {
    algorithm = /^\(\w+\) (\S+)/.exec(line)?.[1] ?? algorithm;
    const remark = /\[(?:fail|warn)\] .*/.exec(line)?.[0];
    return remark === undefined ? [] : [`${algorithm} ${remark}`];
  });
  return { report, remarks };
}

peerTest("ssh-audit has nothing against the gateway that could be turned off", ["ssh-audit"], async (t) => {
  const { report, remarks } = await audit(t);
  for (const name of ["curve25519-sha256", "ssh-ed25519", "aes128-gcm@openssh.com", "kex-strict-s-v00@openssh.com"]) {
    assert.ok(report.includes(name), `it did not see ${name}:\n${report}`);
  }
  assert.deepEqual(remarks.filter((remark) => !EXPLAINED.some(([explained]) => explained.test(remark))), [], report);
});

peerTest("ssh-audit sees what an operator adds, and has something against it", ["ssh-audit"], async (t) => {
  const { remarks } = await audit(t, {
    "server.ssh.kexAlgorithms": ["+ecdh-sha2-nistp256"],
    "server.ssh.macs": ["+hmac-sha2-256"],
  });
  for (const name of ["ecdh-sha2-nistp256", "hmac-sha2-256"]) {
    assert.ok(remarks.some((remark) => remark.startsWith(`${name} `)), `${name}: ${remarks.join("; ")}`);
  }
});
