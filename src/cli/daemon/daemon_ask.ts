import process from "node:process";
import type { Reloaded } from "../../config/changes.ts";
import { askCommand } from "../../control/ask_command.ts";
import { LOG_LEVELS, logLevel } from "../../control/daemon_words.ts";
import { notRunning } from "../../control/not_running.ts";
import { PetitError } from "../../error.ts";
import type { Role } from "../../platform/folder_lock.ts";
import { findDaemon } from "../../platform/pid_file.ts";
import type { Invocation } from "../commands/command.ts";
import { daemonFolder } from "./daemon_folder.ts";

/** Milliseconds for an answer. */
const PATIENCE = 60_000;

/** `reload`: has the daemon read its config again, and says what that came to. */
export async function reloadDaemon(role: Role, invocation: Invocation): Promise<number> {
  const { changed, restartNeeded } = await ask<Reloaded>(role, invocation, "RELOAD");
  if (invocation.values["json"] === true) {
    process.stdout.write(`${JSON.stringify({ changed, restartNeeded })}\n`);
    return 0;
  }
  const lines = changed.length === 0 && restartNeeded.length === 0 ? ["Nothing has changed"] : [];
  if (changed.length > 0) lines.push(`In force now: ${changed.join(", ")}`);
  if (restartNeeded.length > 0) lines.push(`In force after "petit ${role} restart": ${restartNeeded.join(", ")}`);
  process.stdout.write(`${lines.join("\n")}\n`);
  return 0;
}

/** `log LEVEL`: how much the daemon logs from now on. */
export async function setLogLevel(role: Role, invocation: Invocation): Promise<number> {
  const [typed] = invocation.positionals;
  if (typed === undefined) {
    throw new PetitError("usage", "Wanted: a level of the log", { hint: LOG_LEVELS.join(", "), exitCode: 2 });
  }
  const { level } = await ask<{ level: string }>(role, invocation, `LOG ${logLevel(typed)}`);
  process.stdout.write(
    invocation.values["json"] === true
      ? `${JSON.stringify({ level })}\n`
      : `The ${role} logs "${level}" now, until it is restarted\n`,
  );
  return 0;
}

async function ask<Answer>(role: Role, invocation: Invocation, command: string): Promise<Answer> {
  const folder = daemonFolder(invocation);
  const found = findDaemon(folder, role);
  if (found === undefined) throw notRunning(role);
  if (found === "starting") {
    throw new PetitError("daemon-starting", `The ${role} is still starting`, { hint: "Ask again in a moment" });
  }
  return await askCommand<Answer>({ role, folder, ...found }, command, PATIENCE);
}
