import { printable } from "../../text_width.ts";
import { durationText } from "../../time_text.ts";
import { lightTexts } from "../../tunnel/light_text.ts";
import type { FullStatus } from "../server_status.ts";

/** Disconnects that are told. */
const TOLD = 5;

/** One registration, for whoever has its key. @param now milliseconds since 1970 */
export function statusText(status: FullStatus, now = Date.now()): string {
  const { registeredId, connected, lights, tunnel, endpoint, port, aliases, disconnects } = status;
  const ago = (moment: string | number) => `${durationText(now - new Date(moment).getTime())} ago`;
  const facts: [name: string, value: string][] = [
    ["Registration", registeredId],
    ["State", tunnel === null || !connected ? "away" : `connected since ${tunnel.since}, from ${tunnel.address}`],
    ...lightTexts(lights, now),
    ["Endpoint", endpoint],
    ["Reverse port", String(port)],
    ["Aliases", aliases.length === 0 ? "-" : aliases.join(", ")],
    ["Tenant", status.tenant],
    ...disconnects.slice(0, TOLD).map(({ at, cause }): [string, string] => [
      "Disconnected",
      `${ago(at)}: ${cause ?? "not seen by the server"}`,
    ]),
  ];
  return facts.map(([name, value]) => `${name.padEnd(14)}  ${printable(value)}\n`).join("");
}

/** The same in one line, for a tunnel that has just been built. */
export function shortText({ registeredId, connected, endpoint, port }: FullStatus): string {
  return `${registeredId} is ${connected ? "connected" : "away"}: ${printable(endpoint)}, reverse port ${port}\n`;
}
