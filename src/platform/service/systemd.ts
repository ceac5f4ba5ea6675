import { existsSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { PetitError } from "../../error.ts";
import { ownAccount } from "../account.ts";
import { writeStateFile } from "../state_file.ts";
import { lastWords, type ProgramResult, runProgram } from "./run_program.ts";
import {
  isRoot,
  NOT_INSTALLED,
  notInstalled,
  type Role,
  type ServiceDefinition,
  type ServiceManager,
  type ServiceStatus,
} from "./service_manager.ts";
import { systemdUnit } from "./systemd_unit.ts";

const ABSENT =
  'This machine is not run by systemd: have its own service manager run "petit server run" or "petit client run"';

/** Services of Linux: units of systemd, of the whole machine or of this user. */
export class Systemd implements ServiceManager {
  readonly name = "systemd";
  readonly scope: "system" | "user";

  constructor(scope: "system" | "user") {
    this.scope = scope;
  }

  definitionOf(role: Role): string {
    const folder = this.scope === "system"
      ? "/etc/systemd/system"
      : join(process.env["XDG_CONFIG_HOME"] || join(homedir(), ".config"), "systemd/user");
    return join(folder, unitOf(role));
  }

  async install(definition: ServiceDefinition): Promise<void> {
    const unit = unitOf(definition.role);
    // Asked before anything is written: without a manager that answers there is nothing to install into.
    await this.#must("Cannot reach systemd", "show", "--property=Version");
    writeStateFile(this.definitionOf(definition.role), systemdUnit(definition, this.scope), 0o644);
    await this.#must("Cannot have systemd read its units", "daemon-reload");
    await this.#must(`Cannot enable ${unit}`, "enable", unit);
    await this.#must(`Cannot start ${unit}`, "restart", unit);
  }

  async uninstall(role: Role): Promise<void> {
    const file = this.definitionOf(role);
    const unit = unitOf(role);
    if (!existsSync(file)) {
      const other = this.scope === "system"
        ? "--user looks for one of this user"
        : "With sudo, one of the whole machine is looked for";
      throw notInstalled(role, `"${file}"`, other);
    }
    await this.#must(`Cannot stop ${unit}`, "disable", "--now", unit);
    rmSync(file, { force: true });
    await this.#must("Cannot have systemd read its units", "daemon-reload");
    // A unit that had failed would be listed for ever; one that had not cannot be reset, which is no fault.
    await this.#call("reset-failed", unit);
  }

  async status(role: Role): Promise<ServiceStatus> {
    if (!existsSync(this.definitionOf(role))) return NOT_INSTALLED;
    const properties = "--property=ActiveState,SubState,MainPID,UnitFileState";
    const { stdout } = await this.#must("Cannot ask systemd", "show", properties, unitOf(role));
    const facts = Object.fromEntries(stdout.trim().split("\n").map((line) => line.split(/=(.*)/s).slice(0, 2)));
    const pid = Number(facts["MainPID"] ?? 0);
    return {
      installed: true,
      enabled: facts["UnitFileState"] === "enabled",
      running: facts["ActiveState"] === "active",
      pid: pid > 0 ? pid : null,
      state: `${facts["ActiveState"]} (${facts["SubState"]})`,
    };
  }

  advice(role: Role): string[] {
    const user = this.scope === "user";
    const option = user ? "--user " : "";
    const advice = [
      `What it says: journalctl ${option}-u petit-${role}`,
      `To stop it: systemctl ${option}stop petit-${role} (after "petit ${role} stop" systemd starts it again)`,
    ];
    if (!user || existsSync(join("/var/lib/systemd/linger", ownAccount().name))) return advice;
    return [
      ...advice,
      `It runs while this user is logged in. To have it run from boot on: loginctl enable-linger ${ownAccount().name}`,
    ];
  }

  #call(...args: string[]): Promise<ProgramResult> {
    return runProgram("systemctl", this.scope === "user" ? ["--user", ...args] : args, ABSENT);
  }

  async #must(failure: string, ...args: string[]): Promise<ProgramResult> {
    const result = await this.#call(...args);
    if (result.code === 0) return result;
    throw new PetitError("service-manager-failed", `${failure}: ${lastWords(result)}`, { hint: this.#hint(result) });
  }

  #hint({ stderr }: ProgramResult): string {
    if (/not been booted with systemd/i.test(stderr)) return ABSENT;
    if (this.scope === "user") {
      return 'Log in as this user itself (su and sudo -u give no session), or use "sudo petit service …" for the whole machine';
    }
    return isRoot() ? "journalctl -xe tells more" : "Do it as root, with sudo";
  }
}

function unitOf(role: Role): string {
  return `petit-${role}.service`;
}
