import { existsSync, rmSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import process from "node:process";
import { PetitError } from "../../error.ts";
import { writeStateFile } from "../state_file.ts";
import { launchdPlist } from "./launchd_plist.ts";
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

const ABSENT = "macOS has it as /bin/launchctl";

/** Services of macOS: jobs of launchd, of the whole machine or of this user. */
export class Launchd implements ServiceManager {
  readonly name = "launchd";
  readonly scope: "system" | "user";

  constructor(scope: "system" | "user") {
    this.scope = scope;
  }

  definitionOf(role: Role): string {
    const folder = this.scope === "system" ? "/Library/LaunchDaemons" : join(homedir(), "Library/LaunchAgents");
    return join(folder, `${labelOf(role)}.plist`);
  }

  async install(definition: ServiceDefinition): Promise<void> {
    const { role, config } = definition;
    const file = this.definitionOf(role);
    // A job has to go before it can be loaded anew; that there is none is no fault.
    await this.#call("bootout", this.#target(role));
    writeStateFile(file, launchdPlist(definition, labelOf(role), logOf(config, role)), 0o644);
    await this.#must(`Cannot enable ${labelOf(role)}`, "enable", this.#target(role));
    await this.#must(`Cannot start ${labelOf(role)}`, "bootstrap", this.#domain(), file);
  }

  async uninstall(role: Role): Promise<void> {
    const file = this.definitionOf(role);
    if (!existsSync(file)) {
      const other = this.scope === "system"
        ? "--user looks for one of this user"
        : "With sudo, one of the whole machine is looked for";
      throw notInstalled(role, `"${file}"`, other);
    }
    if (await this.#loaded(role)) await this.#must(`Cannot stop ${labelOf(role)}`, "bootout", this.#target(role));
    rmSync(file, { force: true });
  }

  async status(role: Role): Promise<ServiceStatus> {
    if (!existsSync(this.definitionOf(role))) return NOT_INSTALLED;
    const { code, stdout } = await this.#call("print", this.#target(role));
    const state = code === 0 ? /^\s*state = (.+)$/m.exec(stdout)?.[1] ?? "loaded" : "not loaded";
    const pid = /^\s*pid = (\d+)$/m.exec(stdout)?.[1];
    return {
      installed: true,
      enabled: code === 0,
      running: pid !== undefined,
      pid: pid === undefined ? null : Number(pid),
      state,
    };
  }

  advice(): string[] {
    return this.scope === "user"
      ? ["It runs while this user is logged in; with sudo it is one of the whole machine"]
      : [];
  }

  #domain(): string {
    return this.scope === "system" ? "system" : `gui/${process.getuid?.()}`;
  }

  #target(role: Role): string {
    return `${this.#domain()}/${labelOf(role)}`;
  }

  async #loaded(role: Role): Promise<boolean> {
    return (await this.#call("print", this.#target(role))).code === 0;
  }

  #call(...args: string[]): Promise<ProgramResult> {
    return runProgram("launchctl", args, ABSENT);
  }

  async #must(failure: string, ...args: string[]): Promise<void> {
    const result = await this.#call(...args);
    if (result.code === 0) return;
    throw new PetitError("service-manager-failed", `${failure}: ${lastWords(result)}`, {
      hint: this.scope === "system" && !isRoot()
        ? "Do it with sudo"
        : "The log of launchd tells more: log show --predicate 'process == \"launchd\"'",
    });
  }
}

function labelOf(role: Role): string {
  return `petit.${role}`;
}

/** What the daemon writes before its own log is open. */
function logOf(config: string, role: Role): string {
  return join(dirname(config), `${role}.launchd.log`);
}
