import type { Light, Lights, LightState } from "../../src/tunnel/lights.ts";

/** Lights in these states, without more. */
export function lights(
  client: LightState = "green",
  tunnel: LightState = client,
  service: LightState = tunnel,
): Lights {
  const light = (state: LightState): Light => ({ state, at: null });
  return { client: light(client), tunnel: light(tunnel), service: light(service) };
}
