import { copyFileSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { answers, freePorts } from "./free_ports.ts";
import { Daemon, must } from "./processes.ts";
import type { Programs } from "./programs.ts";

/** What petit is measured against: `ssh -R` with an sshd of its own, both as Debian ships them. */
export interface OpenSsh {
  /** The port that reaches the service. */
  readonly port: number;
  readonly sshd: Daemon;
  readonly ssh: Daemon;
}

export async function startOpenSsh(programs: Programs, folder: string, servicePort: number): Promise<OpenSsh> {
  mkdirSync(folder, { mode: 0o700 });
  const at = (name: string) => join(folder, name);
  for (const key of ["host_key", "user_key"]) {
    await must([programs["ssh-keygen"], "-q", "-t", "ed25519", "-N", "", "-f", at(key)]);
  }
  copyFileSync(at("user_key.pub"), at("authorized_keys"));
  const [sshPort = 0, port = 0] = await freePorts(2);
  // What is set here lets it run beside the system's own sshd, as any user. Nothing of it touches the speed.
  writeFileSync(
    at("sshd_config"),
    `ListenAddress 127.0.0.1:${sshPort}
HostKey ${at("host_key")}
AuthorizedKeysFile ${at("authorized_keys")}
PidFile none
StrictModes no
UsePAM no
`,
  );
  // Debian's sshd insists on this folder where it is started as root; its service unit makes it otherwise.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  const sshd = new Daemon([programs.sshd, "-D", "-e", "-f", at("sshd_config")], at("log"));
  await sshd.until("sshd listens", () => answers(sshPort));
  // Bun takes the name from the environment, where it may be missing.
  const user = (await must(["id", "-un"])).trim();
  const options = [
    "ExitOnForwardFailure=yes",
    "IdentitiesOnly=yes",
    "StrictHostKeyChecking=no",
    `UserKnownHostsFile=${at("known_hosts")}`,
    "BatchMode=yes",
  ].flatMap((option) => ["-o", option]);
  const ssh = new Daemon([
    programs.ssh,
    ...["-F", "none", "-N", "-c", "aes128-gcm@openssh.com", "-i", at("user_key"), ...options],
    ...["-R", `127.0.0.1:${port}:127.0.0.1:${servicePort}`],
    ...["-p", String(sshPort), `${user}@127.0.0.1`],
  ], at("log"));
  await ssh.until("ssh -R forwards", () => answers(port));
  return { port, sshd, ssh };
}
