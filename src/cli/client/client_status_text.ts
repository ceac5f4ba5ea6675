import type { ClientStatus } from "../../client/client_status.ts";
import { tenantTable } from "./tenant_table.ts";
import { lightText } from "../../tunnel/light_text.ts";
import { table } from "../terminal/table.ts";
import { printable } from "../../text_width.ts";
import { durationText, momentText } from "../../time_text.ts";

/** What a client does, for people: about itself, about its tunnel, and a table of its tenants. */
export function clientStatusText(status: ClientStatus, now = Date.now()): string {
  const { server, tunnel, waiting, registration, paused } = status;
  const since = (moment: string) => `since ${momentText(moment)} (${durationText(now - Date.parse(moment))})`;
  const about = server.vitae === null
    ? ""
    : `, petit ${server.vitae.version}, environment "${server.vitae.environment}"`;
  const lines = [
    ...(paused === null ? [] : [`PAUSED ${since(paused)}: nobody is let in; "petit client resume" ends that`]),
    `Client ${status.status === "stopping" ? "stopping, " : ""}up ${since(status.startedAt)}, pid ${status.pid}, ` +
    `version ${status.version}`,
    `Server ${server.host}:${server.port}${about}`,
    tunnel === null ? "Tunnel down" : `Tunnel up ${since(tunnel.since)}`,
    ...(waiting === null ? [] : [`       ${waiting.reason}${nextText(waiting.nextAttempt, now)}`]),
    `Key    ${status.fingerprint}`,
  ];
  const head = lines.map((line) => `${printable(line)}\n`).join("");
  const tenants = registration.length === 0 ? "" : `\n${tenantTable(registration)}`;
  return `${head}${tenants}${redText(registration, now)}${disconnectsText(status.disconnects)}`;
}

/** Why services cannot be reached, and tenants are not allowed to lead to theirs. */
function redText(registration: ClientStatus["registration"], now: number): string {
  const red = registration.flatMap(({ tenant, lights: { service, tunnel } }) =>
    service.state === "red"
      ? [`Service of ${tenant}  ${lightText("service", service, now)}`]
      : tunnel.code === "service-not-allowed"
      ? [`Tenant ${tenant} lets nobody in  ${tunnel.error}`]
      : []
  ).map((line) => `${printable(line)}\n`).join("");
  return red === "" ? "" : `\n${red}`;
}

function disconnectsText(disconnects: ClientStatus["disconnects"]): string {
  if (disconnects.length === 0) return "";
  return `\nLast disconnects\n${
    table([
      { title: "AT", value: ({ at }) => momentText(at) },
      { title: "AFTER", value: ({ lasted }) => lasted === null ? undefined : durationText(lasted), right: true },
      { title: "CAUSE", value: ({ cause }) => cause, atLeast: 20 },
    ], disconnects)
  }`;
}

function nextText(nextAttempt: string | null, now: number): string {
  if (nextAttempt === null) return "";
  const wait = Date.parse(nextAttempt) - now;
  return wait < 1000 ? "; trying again now" : `; trying again in ${durationText(wait)}`;
}
