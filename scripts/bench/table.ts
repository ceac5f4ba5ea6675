import { NAMES, TITLES } from "./contenders.ts";
import { figure } from "./figure.ts";
import type { Goal } from "./goals.ts";
import { type Guarded, GUARDS } from "./measure_access.ts";
import { FLOOD_RATE } from "./measure_flood.ts";
import { type AttackName, ATTACKS, type AttackSample } from "./measure_logins.ts";
import type { Results } from "./results.ts";
import { formerTable } from "./former_table.ts";
import { median } from "./rounds.ts";

/** The results for people. */
export function table(results: Results): string {
  const {
    machine,
    disturbance,
    options,
    rows,
    memory,
    clients,
    usage,
    access,
    flood,
    logins,
    former,
    goals,
    failures,
  } = results;
  const rounds = options.rounds === 1 ? "one round" : `medians of ${options.rounds} rounds`;
  const parts = [
    `petit beside ssh -R, ${rounds}`,
    columns(Object.entries(machine)),
    "Callers, service and both ends of every tunnel run on this one machine and share its cores.\n" +
    `Meanwhile, programs that have nothing to do with it used ${percent(disturbance.others)} of the processors, ` +
    `and the host withheld ${percent(disturbance.host)}.`,
  ];
  if (rows.length > 0) {
    const heading = ["", ...NAMES.map((name) => TITLES[name]), "raw / ssh", "proxy / ssh"];
    parts.push(columns([
      heading,
      ...rows.map(({ title, unit, series: { medians, ratios } }) => [
        `${title}, ${unit}`,
        ...NAMES.map((name) => figure(medians[name])),
        figure(ratios.raw.median),
        figure(ratios.proxy.median),
      ]),
    ]));
    parts.push(
      'Ratios are taken round by round. "Added" is what a contender took longer than the direct way in the same round.',
    );
  }
  if (memory.length > 0) {
    parts.push(columns([
      ["memory, MB", "idle", "after all", "peak"],
      ...memory.map(({ name, idle, after }) => [
        name,
        ...[idle.resident, after.resident, after.peak].map((bytes) => figure(bytes / 1e6)),
      ]),
    ]));
  }
  if (clients.length > 0) {
    const of = (name: keyof typeof clients[number]) => median(clients.map((sample) => sample[name]));
    const scaled = (name: keyof typeof clients[number], unit: number) => figure((of(name) ?? 0) / unit);
    parts.push(
      `${options.clients.toLocaleString("en")} clients, each with its own key and id: ` +
        `connected in ${scaled("seconds", 1)} s; ` +
        `server ${scaled("idle", 1e6)} MB idle, ${scaled("connected", 1e6)} MB with them, ` +
        `${scaled("perClient", 1000)} kB each`,
    );
  }
  if (usage.length > 0) {
    const of = (name: keyof typeof usage[number], scale = 1) =>
      figure((median(usage.map((sample) => sample[name])) ?? 0) * scale);
    parts.push(
      `HTTP proxy with the usage record: ${of("on")} requests/s, ${
        of("onCpu", 1000)
      } µs of the server's processor time each; ` +
        `without it: ${of("off")} requests/s, ${of("offCpu", 1000)} µs`,
    );
  }
  if (access.length > 0) {
    const of = (guard: typeof GUARDS[number], key: keyof Guarded) =>
      median(access.map((sample) => sample[guard][key])) ?? 0;
    parts.push(columns([
      [
        "HTTP proxy, what callers have to show",
        "requests/s",
        "to open",
        "µs of the server",
        "to open",
        "µs of the check",
      ],
      ...GUARDS.map((guard) => [
        guard,
        figure(of(guard, "rate")),
        of(guard, "rateToOpen").toFixed(3),
        figure(of(guard, "cpu") * 1000),
        of(guard, "cpuToOpen").toFixed(3),
        of(guard, "check").toFixed(2),
      ]),
    ]));
  }
  if (flood.length > 0) {
    const at = (way: "petit" | "direct", when: "calm" | "flooded", part: "p50" | "p99") =>
      figure(median(flood.map((sample) => sample[way][when][part])) ?? 0);
    const row = (way: "petit" | "direct", when: "calm" | "flooded") => [at(way, when, "p50"), at(way, when, "p99")];
    parts.push(columns([
      [`latency at ${FLOOD_RATE} requests/s, ms`, "50 %", "99 %", "50 %, flood beside", "99 %, flood beside"],
      ["HTTP proxy, flood on another registration", ...row("petit", "calm"), ...row("petit", "flooded")],
      ["direct, flood on another service", ...row("direct", "calm"), ...row("direct", "flooded")],
    ]));
  }
  if (logins.length > 0) parts.push(...loginsTables(logins));
  if (former.length > 0) parts.push(columns(formerTable(former)));
  if (goals.length > 0) parts.push(columns([["goals", "wanted", "measured", "rounds", ""], ...goals.map(goalLine)]));
  if (failures.length > 0) parts.push(["FAILED", ...failures].join("\n  "));
  return `${parts.join("\n\n")}\n`;
}

function loginsTables(logins: Results["logins"]): string[] {
  const of = (name: AttackName, what: keyof AttackSample) =>
    figure(median(logins.map(({ attacks }) => attacks[name][what])));
  const names = Object.keys(ATTACKS) as AttackName[];
  const cost = (whose: "server" | "attacker") => figure(median(logins.map((sample) => sample.cost[whose])));
  return [
    columns([
      [`99 % of ${FLOOD_RATE} requests/s, ms; bad logins`, "calm", "attacked", "direct", "direct, attacked"],
      ...names.map((name) => [
        name,
        ...(["calm", "attacked", "directCalm", "directAttacked"] as const).map((what) => of(name, what)),
      ]),
    ]),
    columns([
      ["bad logins", "begun/s", "let in/s", "µs each: server", "attacker"],
      ...names.map((name) => [
        name,
        ...(["begun", "admitted", "serverCpu", "attackerCpu"] as const).map((what) => of(name, what)),
      ]),
      ["not throttled", "", "", cost("server"), cost("attacker")],
    ]),
  ];
}

function percent(part: number): string {
  return `${Math.round(part * 100)} %`;
}

function goalLine({ what, wanted, got, range, unit, reached }: Goal): string[] {
  const between = range === null || range[0] === range[1] ? "" : `${figure(range[0])} to ${figure(range[1])}`;
  return [
    what,
    wanted,
    got === null ? "failed" : `${figure(got)} ${unit}`,
    between,
    reached ? "reached" : "NOT REACHED",
  ];
}

/** The first column to the left, the others to the right where they hold numbers. */
function columns(rows: readonly (readonly string[])[]): string {
  const count = Math.max(...rows.map((row) => row.length));
  const cells = Array.from({ length: count }, (_, index) => rows.map((row) => row[index] ?? ""));
  const padded = cells.map((column) => {
    const width = Math.max(...column.map((cell) => cell.length));
    const numeric = column.slice(1).every((cell) => /^(?:-?[\d.,]+(?: ×| MB| kB| s| %)?|–|)$/.test(cell));
    return column.map((cell) => numeric ? cell.padStart(width) : cell.padEnd(width));
  });
  return rows.map((_, row) => padded.map((column) => column[row]).join("  ").trimEnd()).join("\n");
}
