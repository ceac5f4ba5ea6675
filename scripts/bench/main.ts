// Measures petit beside `ssh -R`, on loopback: "npm run bench -- --help".
import { copyFileSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import process from "node:process";
import { executable as built, installed, root } from "../project.ts";
import { watchDisturbance } from "./disturbance.ts";
import { describeFormer, findFormer } from "./former.ts";
import { judge } from "./goals.ts";
import { describeMachine } from "./machine.ts";
import { measureAccess } from "./measure_access.ts";
import { measureClients } from "./measure_clients.ts";
import { measureFlood } from "./measure_flood.ts";
import { measureFormer } from "./measure_former.ts";
import { measureLogins } from "./measure_logins.ts";
import { measureTunnels } from "./measure_tunnels.ts";
import { measureUsage } from "./measure_usage.ts";
import { isApart, type Options, parseOptions, PARTS, USAGE, UsageError } from "./options.ts";
import { must } from "./processes.ts";
import { findPrograms, MissingPrograms } from "./programs.ts";
import type { Results } from "./results.ts";
import { say } from "./say.ts";
import { table } from "./table.ts";

try {
  const options = parseOptions(process.argv.slice(2));
  if (options === "help") console.log(USAGE);
  else process.exit(await bench(withoutMissing(options)));
} catch (error) {
  const expected = error instanceof UsageError || error instanceof MissingPrograms;
  console.error(expected ? error.message : error);
  if (error instanceof UsageError) console.error(`\n${USAGE}`);
  process.exit(expected ? 2 : 1);
}

/** A run of everything does without 0.6.34 where that is not installed. */
function withoutMissing(options: Options): Options {
  if (!options.parts.includes("former")) return options;
  try {
    findFormer();
    return options;
  } catch (error) {
    if (options.parts.length < PARTS.length) throw error;
    say(`"former" is left out. ${(error as Error).message}`);
    return { ...options, parts: options.parts.filter((part) => part !== "former") };
  }
}

async function bench(options: Options): Promise<number> {
  const programs = options.parts.some((part) => part !== "clients") ? findPrograms() : undefined;
  const folder = mkdtempSync(join(tmpdir(), "petit-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true, maxRetries: 5 }));
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, () => process.exit(130));

  say("building …");
  await must([...installed("bun"), join(root, "scripts", "build.ts")]);
  // A copy, so that a build in the meantime doesn't change what is being measured.
  const executable = join(folder, "petit");
  copyFileSync(built, executable);

  const machine = {
    ...await describeMachine(executable, programs),
    ...(options.parts.includes("former") ? await describeFormer() : {}),
  };
  const failures: string[] = [];
  const disturbance = watchDisturbance();
  const compares = options.parts.some((part) => !isApart(part));
  const tunnels = programs === undefined || !compares
    ? { rows: [], memory: [] }
    : await measureTunnels(programs, executable, folder, options, failures);
  const clients = options.parts.includes("clients")
    ? await measureClients(executable, join(folder, "many"), options.clients, options.rounds).catch((error: Error) => {
      failures.push(`clients: ${error.message}`);
      return [];
    })
    : [];
  const usage = programs !== undefined && options.parts.includes("usage")
    ? await measureUsage(programs, executable, join(folder, "usage"), options).catch((error: Error) => {
      failures.push(`usage: ${error.message}`);
      return [];
    })
    : [];
  const access = programs !== undefined && options.parts.includes("access")
    ? await measureAccess(programs, executable, join(folder, "access"), options).catch((error: Error) => {
      failures.push(`access: ${error.message}`);
      return [];
    })
    : [];
  const flood = programs !== undefined && options.parts.includes("flood")
    ? await measureFlood(programs, executable, join(folder, "flood"), options.latencySeconds, options.rounds)
      .catch((error: Error) => {
        failures.push(`flood: ${error.message}`);
        return [];
      })
    : [];
  const logins = programs !== undefined && options.parts.includes("logins")
    ? await measureLogins(programs, executable, join(folder, "logins"), options.latencySeconds, options.rounds)
      .catch((error: Error) => {
        failures.push(`logins: ${error.message}`);
        return [];
      })
    : [];
  const former = programs !== undefined && options.parts.includes("former")
    ? await measureFormer(programs, executable, join(folder, "former"), options).catch((error: Error) => {
      failures.push(`former: ${error.message}`);
      return [];
    })
    : [];
  const found = { options, ...tunnels, clients, usage, access, flood, logins, former };
  const results: Results = { machine, disturbance: disturbance(), ...found, goals: judge(found), failures };
  if (options.json !== undefined) writeFileSync(options.json, `${JSON.stringify(results, undefined, 2)}\n`);
  console.log(table(results));
  return failures.length === 0 ? 0 : 1;
}
