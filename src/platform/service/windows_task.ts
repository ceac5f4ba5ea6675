import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PetitError } from "../../error.ts";
import { lastWords, type ProgramResult, runProgram } from "./run_program.ts";
import {
  NOT_INSTALLED,
  notInstalled,
  type Role,
  type ServiceDefinition,
  type ServiceManager,
  type ServiceStatus,
} from "./service_manager.ts";
import { windowsTaskXml } from "./windows_task_xml.ts";

const ABSENT = "Windows has it in its folder System32";

/** Services of Windows: scheduled tasks that run as SYSTEM from boot on. An executable of Bun is no service of Windows by itself. */
export class WindowsTask implements ServiceManager {
  readonly name = "the task scheduler";
  readonly scope = "system";

  definitionOf(role: Role): string {
    return `petit-${role}`;
  }

  async install(definition: ServiceDefinition): Promise<void> {
    const task = this.definitionOf(definition.role);
    const folder = mkdtempSync(join(tmpdir(), "petit-task-"));
    try {
      const file = join(folder, "task.xml");
      // UTF-16 with its byte order mark is what schtasks reads for certain.
      writeFileSync(file, `\ufeff${windowsTaskXml(definition)}`, "utf16le");
      await this.#call("/End", "/TN", task);
      await this.#must(`Cannot make the task ${task}`, "/Create", "/TN", task, "/XML", file, "/F");
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
    await this.#must(`Cannot start the task ${task}`, "/Run", "/TN", task);
  }

  async uninstall(role: Role): Promise<void> {
    const task = this.definitionOf(role);
    if (!await this.#exists(task)) {
      throw notInstalled(role, `task "${task}"`, "schtasks /Query lists the tasks there are");
    }
    await this.#call("/End", "/TN", task);
    await this.#must(`Cannot delete the task ${task}`, "/Delete", "/TN", task, "/F");
  }

  async status(role: Role): Promise<ServiceStatus> {
    const task = this.definitionOf(role);
    if (!await this.#exists(task)) return NOT_INSTALLED;
    // What schtasks itself prints is in the language of Windows; this is not.
    const question = `(Get-ScheduledTask -TaskName '${task}').State`;
    const asked = await runProgram("powershell.exe", ["-NoProfile", "-NonInteractive", "-Command", question], ABSENT);
    const state = asked.stdout.trim();
    return { installed: true, enabled: state !== "Disabled", running: state === "Running", pid: null, state };
  }

  advice(): string[] {
    return ["It is a scheduled task that runs as SYSTEM; where it has ended it is started again within a minute"];
  }

  async #exists(task: string): Promise<boolean> {
    return (await this.#call("/Query", "/TN", task)).code === 0;
  }

  #call(...args: string[]): Promise<ProgramResult> {
    return runProgram("schtasks.exe", args, ABSENT);
  }

  async #must(failure: string, ...args: string[]): Promise<void> {
    const result = await this.#call(...args);
    if (result.code === 0) return;
    throw new PetitError("service-manager-failed", `${failure}: ${lastWords(result)}`, {
      hint: 'Do it in a terminal that was opened with "Run as administrator"',
    });
  }
}
