import type { FullStatus, RegistrationStatus, ServerStatus } from "../../server/server_status.ts";
import { lightTexts } from "../../tunnel/light_text.ts";
import { lightColumns } from "../terminal/light_columns.ts";
import { table } from "../terminal/table.ts";
import { printable } from "../../text_width.ts";
import { durationText, momentText } from "../../time_text.ts";

/** How many aliases are named before the rest is counted. */
const ALIASES_SHOWN = 2;

/** What a server does, for people: two lines about itself and a table of those registrations that were asked for. */
export function statusText(status: ServerStatus, shown: readonly RegistrationStatus[], now = Date.now()): string {
  const { proxy, secureProxy, ssh } = status.ports;
  const all = status.connections.length;
  const lines = [
    `Server ${status.status} since ${momentText(status.startedAt)} (${
      durationText(now - Date.parse(status.startedAt))
    }), ` +
    `pid ${status.pid}, version ${status.version}`,
    `Ports: SSH ${ssh}, HTTP ${proxy}${secureProxy === null ? "" : `, HTTPS ${secureProxy}`}`,
    `${all} ${all === 1 ? "registration" : "registrations"}, ${status.connected} connected` +
    (shown.length === all ? "" : `, ${shown.length} shown`),
  ];
  const head = `${lines.join("\n")}\n`;
  return shown.length === 0 ? head : `${head}\n${registrationTable(shown)}`;
}

function registrationTable(shown: readonly RegistrationStatus[]): string {
  return table<RegistrationStatus>([
    { title: "ID", value: ({ registeredId }) => registeredId, right: true },
    { title: "STATE", value: ({ connected }) => connected ? "connected" : "away" },
    ...lightColumns<RegistrationStatus>(),
    { title: "SINCE", value: ({ tunnel }) => tunnel === null ? undefined : momentText(tunnel.since) },
    { title: "ADDRESS", value: ({ tunnel }) => tunnel?.address },
    { title: "HOST", value: ({ vitae }) => vitae?.hostname, atLeast: 8 },
    { title: "BRAND", value: ({ brand }) => brand, atLeast: 5 },
    { title: "ALIASES", value: ({ aliases }) => shortened(aliases), atLeast: 10 },
    { title: "VERSION", value: ({ vitae }) => vitae?.version, atLeast: 7 },
  ], shown);
}

function shortened(aliases: readonly string[]): string {
  const named = aliases.slice(0, ALIASES_SHOWN).join(", ");
  return aliases.length > ALIASES_SHOWN ? `${named} +${aliases.length - ALIASES_SHOWN}` : named;
}

/** All about one registration, for people. */
export function fullStatusText(status: FullStatus, now = Date.now()): string {
  const { vitae, tunnel, disconnects } = status;
  const system = [vitae?.platform, vitae?.release, vitae?.arch].filter((part) => part !== undefined).join(" ");
  const facts: [name: string, value: string][] = [
    ["Registration", status.registeredId],
    ["State", status.connected ? "connected" : "away"],
    ...lightTexts(status.lights, now),
    ...(tunnel === null ? [] : [
      ["Since", `${momentText(tunnel.since)} (${durationText(now - Date.parse(tunnel.since))})`],
      ["Address", tunnel.address],
      ["Open channels", String(tunnel.channels)],
    ] as [string, string][]),
    ["Endpoint", status.endpoint],
    ["Access", status.access],
    ["Reverse port", String(status.port)],
    ["Aliases", status.aliases.length === 0 ? "-" : status.aliases.join(", ")],
    ["Brand", status.brand],
    ["Tenant", status.tenant],
    ["Host", vitae?.hostname ?? "-"],
    ["System", system === "" ? "-" : system],
    ["Version", vitae?.version ?? "-"],
    ["Key", status.fingerprint],
    ["Made", momentText(status.createdAt)],
  ];
  const lines = facts.map(([name, value]) => `${name.padEnd(14)}  ${printable(value)}\n`).join("");
  if (disconnects.length === 0) return `${lines}\nNo disconnects are on record.\n`;
  return `${lines}\nLast disconnects\n${
    table([
      { title: "AT", value: ({ at }) => momentText(at) },
      { title: "AFTER", value: ({ lasted }) => lasted === null ? undefined : durationText(lasted), right: true },
      { title: "ADDRESS", value: ({ address }) => address ?? undefined },
      { title: "CAUSE", value: ({ cause }) => cause ?? "not seen by the server", atLeast: 20 },
      { title: "CLIENT SAW", value: ({ clientCause }) => clientCause ?? undefined, atLeast: 20 },
    ], disconnects)
  }`;
}
