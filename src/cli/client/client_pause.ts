import process from "node:process";
import { setTimeout as sleep } from "node:timers/promises";
import { readPause, removePause, writePause } from "../../client/pause.ts";
import { knownTenant, tenantNames } from "../../client/tenants.ts";
import { callDaemon } from "../../control/api_client.ts";
import { messageOf, PetitError } from "../../error.ts";
import { findDaemon } from "../../platform/pid_file.ts";
import type { Invocation } from "../commands/command.ts";
import { daemonFolder } from "../daemon/daemon_folder.ts";
import { momentText } from "../../time_text.ts";
import { textValue } from "../values.ts";

/** Milliseconds that a client is waited for that is still starting. */
const STARTING = 10_000;

/** `petit client pause`: in the running client, or for when it runs. The config is not read: a mistake in it must not keep the switch from working. */
export async function clientPause(invocation: Invocation): Promise<number> {
  const { folder, tenant, json } = asked(invocation);
  const drain = invocation.values["drain"] === true;
  if (findDaemon(folder, "client") === undefined) {
    const since = pausedOnDisk(folder, tenant);
    if (json) print({ paused: since, ended: 0, daemon: "not running" });
    else {out(
        `${subject(tenant)} is paused since ${
          momentText(since)
        }.\nIt does not run; it lets nobody in when it is started.\n`,
      );}
    return 0;
  }
  try {
    const { since, ended } = await tell<{ since: string; ended: number }>(folder, "/pause", { tenant, drain });
    if (json) print({ paused: since, ended, daemon: "told" });
    else out(`${subject(tenant)} is paused since ${momentText(since)}. Connections that were ended: ${ended}\n`);
    return 0;
  } catch (error) {
    throw notInForce(folder, tenant, error);
  }
}

/** `petit client resume` */
export async function clientResume(invocation: Invocation): Promise<number> {
  const { folder, tenant, json } = asked(invocation);
  const runs = findDaemon(folder, "client") !== undefined;
  let paused: string[];
  if (runs) paused = (await tell<{ paused: string[] }>(folder, "/resume", { tenant })).paused;
  else {
    removePause(folder, tenant);
    paused = tenantNames(folder).filter((name) => (readPause(folder) ?? readPause(folder, name)) !== undefined);
  }
  if (json) print({ paused, daemon: runs ? "told" : "not running" });
  else {
    out(
      runs ? `${subject(tenant)} lets callers in again.\n` : `${subject(tenant)} lets callers in when it is started.\n`,
    );
    if (paused.length > 0) {
      const how = readPause(folder) === undefined
        ? 'by themselves; "petit client resume -t TENANT" ends that'
        : "with the whole client";
      out(`Still paused ${how}: ${paused.join(", ")}\n`);
    }
  }
  return 0;
}

function asked(invocation: Invocation): { folder: string; tenant: string | undefined; json: boolean } {
  const folder = daemonFolder(invocation);
  const typed = textValue(invocation, "tenant");
  const tenant = typed === undefined ? undefined : knownTenant(folder, typed);
  return { folder, tenant, json: invocation.values["json"] === true };
}

function pausedOnDisk(folder: string, tenant: string | undefined): string {
  const since = readPause(folder, tenant) ?? new Date().toISOString();
  writePause(folder, tenant, since);
  return since;
}

async function tell<Answer>(folder: string, path: string, body: object): Promise<Answer> {
  const until = performance.now() + STARTING;
  for (;;) {
    try {
      return await callDaemon<Answer>({ folder, role: "client", method: "POST", path, body });
    } catch (error) {
      if (!(error instanceof PetitError) || error.code !== "daemon-starting" || performance.now() > until) throw error;
      await sleep(100);
    }
  }
}

/** A client that could not be told may still let callers in: who pulls the switch has to know. */
function notInForce(folder: string, tenant: string | undefined, error: unknown): unknown {
  if (!(error instanceof PetitError) || ["state-unwritable", "tenant-unknown"].includes(error.code)) return error;
  let kept = "it is paused when it is started again";
  try {
    pausedOnDisk(folder, tenant);
  } catch (failure) {
    kept = `and that could not be written down: ${messageOf(failure)}`;
  }
  return new PetitError(
    error.code,
    `The running client could not be told, and may still let callers in (${kept}): ${messageOf(error)}`,
    {
      hint: 'End it with "petit client stop --timeout 5s", or by its process id',
      cause: error,
    },
  );
}

const subject = (tenant: string | undefined) => tenant === undefined ? "This client" : `Tenant ${tenant}`;
const out = (text: string) => process.stdout.write(text);
const print = (facts: object) => out(`${JSON.stringify(facts)}\n`);
