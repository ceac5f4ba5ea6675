import { durationText } from "../time_text.ts";
import { type Light, LIGHT_NAMES, type LightName, type Lights } from "./lights.ts";

const TITLES: Readonly<Record<LightName, string>> = { client: "Client", tunnel: "Tunnel", service: "Service" };

/** What a light says: "green, reached 12 s ago (0.8 ms, by a caller)". @param now milliseconds since 1970 */
export function lightText(name: LightName, light: Light, now: number): string {
  const { state, at, since, error } = light;
  const ago = (moment: string) => `${durationText(now - Date.parse(moment))} ago`;
  const seen = SEEN[name];
  if (state === "green") return `green, ${seen} ${at === null ? "" : ago(at)}${visitText(light)}`;
  if (state === "unknown") return `unknown, ${at === null ? `never ${seen}` : `last ${seen} ${ago(at)}`}`;
  const first = since === undefined ? "" : ` for ${durationText(now - Date.parse(since))}`;
  const last = at === null ? "" : name === "service" ? ` (last tried ${ago(at)})` : ` (last ${seen} ${ago(at)})`;
  return `red${first}: ${error ?? "no reason given"}${last}`;
}

/** The same for all three, under their names. */
export function lightTexts(lights: Lights, now: number): [name: string, text: string][] {
  return LIGHT_NAMES.map((name) => [TITLES[name], lightText(name, lights[name], now)]);
}

const SEEN: Readonly<Record<LightName, string>> = {
  client: "heard of",
  tunnel: "there and back",
  service: "reached",
};

function visitText({ milliseconds, by }: Light): string {
  if (milliseconds === undefined || by === undefined) return "";
  return ` (${milliseconds.toFixed(1)} ms, by a ${by})`;
}
