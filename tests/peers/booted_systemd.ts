import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { eventually } from "../world/eventually.ts";
import { Background, type Finished, output, run } from "../world/processes.ts";
import { type Scope, temporaryFolder } from "../world/temporary_folder.ts";
import { findProgram } from "./peer_test.ts";

const SYSTEMD = "/lib/systemd/systemd";

/** What systemd itself wants to have, without anything in it. */
const TARGETS = ["petit", "sysinit", "basic", "shutdown", "multi-user"];

/** Why no systemd can be booted here beside the system's own; undefined where one can. */
export function whyNoSystemd(): string | undefined {
  for (const name of ["unshare", "nsenter", "systemctl", "systemd-notify"]) {
    if (findProgram(name) === undefined) return `needs ${name}`;
  }
  const namespaces = spawnSync("unshare", [
    "--mount",
    "--pid",
    "--cgroup",
    "--fork",
    "mount",
    "-t",
    "tmpfs",
    "none",
    "/run",
  ]);
  return namespaces.status === 0 ? undefined : "needs the right to make namespaces";
}

/** A systemd that is the first process of namespaces of its own, and knows only the units that it is given. */
export class BootedSystemd {
  readonly #units: string;
  #pid = 0;

  private constructor(units: string) {
    this.#units = units;
  }

  static async boot(scope: Scope): Promise<BootedSystemd> {
    const units = join(temporaryFolder(scope), "units");
    mkdirSync(units);
    for (const name of TARGETS) {
      writeFileSync(join(units, `${name}.target`), `[Unit]\nDescription=${name}\nAllowIsolate=yes\n`);
    }
    const script = `mount --make-rprivate / && mount -t tmpfs tmpfs /run && mkdir -p /run/lock && ` +
      `umount -R /sys/fs/cgroup; mount -t cgroup2 cgroup2 /sys/fs/cgroup && ` +
      `exec env -i PATH="$PATH" SYSTEMD_UNIT_PATH='${units}' container=petit ${SYSTEMD} --system --unit=petit.target --log-target=console`;
    const options = ["--mount", "--pid", "--cgroup", "--fork", "--kill-child", "--mount-proc"];
    const unshare = new Background("unshare", [...options, "sh", "-c", script]);
    scope.after(() => unshare.stop("SIGKILL"));
    const systemd = new BootedSystemd(units);
    const { pid } = unshare.child;
    await eventually("systemd is up", async () => {
      systemd.#pid = Number(readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim());
      if (systemd.#pid === 0) return false;
      return (await systemd.run("systemctl", ["is-active", "petit.target"])).stdout.trim() === "active";
    });
    return systemd;
  }

  /** Gives it a unit, and has it read. */
  async add(name: string, text: string): Promise<void> {
    writeFileSync(join(this.#units, name), text);
    await output("nsenter", this.#inside("systemctl", ["daemon-reload"]));
  }

  /** Runs a program where it runs. */
  run(program: string, args: string[], env: Record<string, string> = {}): Promise<Finished> {
    return run("nsenter", this.#inside(program, args), { env });
  }

  /** A property of a unit, as `systemctl show` tells it. */
  async property(unit: string, name: string): Promise<string> {
    return (await this.run("systemctl", ["show", "--value", `--property=${name}`, unit])).stdout.trim();
  }

  #inside(program: string, args: string[]): string[] {
    return ["--target", String(this.#pid), "--mount", "--pid", "--cgroup", program, ...args];
  }
}
