import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import process from "node:process";
import { type Background, background, freePort, output } from "../world/processes.ts";
import { type Scope, temporaryFolder } from "../world/temporary_folder.ts";
import { program } from "./peer_test.ts";

/** A stock sshd with a host key of its own, on loopback, that runs as whoever runs the tests. */
export interface Sshd {
  readonly port: number;
  /** Whom to log in as: the user that it runs as. */
  readonly user: string;
  /** The file whose keys it lets in; not there at first. */
  readonly authorizedKeys: string;
  /** Its host key, "ssh-ed25519 AAAA…". */
  readonly hostKey: string;
  /** The file with that key. */
  readonly hostKeyFile: string;
  readonly configFile: string;
  readonly process: Background;
}

export interface SshdOptions {
  readonly authorizedKeys?: string;
  /** Lines of sshd_config, which come first and so prevail. */
  readonly settings?: readonly string[];
  readonly port?: number;
}

/** Starts sshd; resolves when it listens. */
export async function startSshd(scope: Scope, options: SshdOptions = {}): Promise<Sshd> {
  const folder = temporaryFolder(scope);
  const hostKeyFile = join(folder, "ssh_host_ed25519_key");
  await output(program("ssh-keygen"), ["-q", "-t", "ed25519", "-N", "", "-C", "", "-f", hostKeyFile]);
  const hostKey = (await output(program("ssh-keygen"), ["-y", "-f", hostKeyFile])).trim();
  const port = options.port ?? await freePort();
  const authorizedKeys = options.authorizedKeys ?? join(folder, "authorized_keys");
  const configFile = join(folder, "sshd_config");
  const lines = [
    ...options.settings ?? [],
    `ListenAddress 127.0.0.1:${port}`,
    `HostKey ${hostKeyFile}`,
    `AuthorizedKeysFile ${authorizedKeys}`,
    "PidFile none",
    "StrictModes no",
    "UsePAM no",
    "LogLevel VERBOSE",
  ];
  writeFileSync(configFile, `${lines.join("\n")}\n`);
  // Debian's sshd insists on this folder where it is started as root; its service unit makes it otherwise.
  if (process.getuid?.() === 0) mkdirSync("/run/sshd", { recursive: true, mode: 0o755 });
  // Its sessions outlive it otherwise, and hold its standard error.
  scope.after(() => endSessions(sshd.child.pid));
  const sshd = background(scope, program("sshd"), ["-D", "-e", "-f", configFile]);
  await sshd.line((line) => line.includes(`Server listening on 127.0.0.1 port ${port}`));
  const user = (await output("id", ["-un"])).trim();
  return { port, user, authorizedKeys, hostKey, hostKeyFile, configFile, process: sshd };
}

/** Processes of sshd's sessions: its children, and theirs. */
export function sessionsOf(pid: number): number[] {
  const children = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).filter((name) => {
    try {
      return new RegExp(`^PPid:\\s+${pid}$`, "m").test(readFileSync(`/proc/${name}/status`, "latin1"));
    } catch {
      return false;
    }
  }).map(Number);
  return [...children, ...children.flatMap(sessionsOf)];
}

function endSessions(master: number | undefined): void {
  for (const pid of master === undefined ? [] : sessionsOf(master)) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It has ended by itself.
    }
  }
}
