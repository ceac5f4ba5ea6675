import { z } from "zod";

/** One of three lights. It is green or red by what was seen, and unknown where nothing was, or too long ago. */
export const lightSchema = z.object({
  state: z.enum(["green", "red", "unknown"]),
  at: z.iso.datetime().nullable().meta({ description: "When what it tells was seen last; null for never" }),
  since: z.iso.datetime().optional().meta({ description: "Of a red one: since when it is" }),
  error: z.string().optional().meta({ description: "Why it is not green, in a sentence" }),
  code: z.string().optional().meta({ description: "The same as a stable name" }),
  milliseconds: z.number().optional().meta({ description: "How long the service took to be reached" }),
  by: z.enum(["caller", "probe"]).optional().meta({ description: "Who saw it" }),
}).meta({ id: "Light" });
export type Light = z.output<typeof lightSchema>;

/** How a tenant is, from the server to its service. Green services are those that bytes have reached, all the way. */
export const lightsSchema = z.object({
  client: lightSchema.meta({ description: "Its daemon gives signs of life" }),
  tunnel: lightSchema.meta({ description: "Something went through it and came back" }),
  service: lightSchema.meta({ description: "What became of the last real connection to it" }),
}).meta({ id: "Lights", description: "Whether daemon, tunnel and service work, by what was seen last" });
export type Lights = z.output<typeof lightsSchema>;

export type LightName = keyof Lights;
export type LightState = Light["state"];

/** In the order of the way there. */
export const LIGHT_NAMES: readonly LightName[] = ["client", "tunnel", "service"];
export const LIGHT_STATES: readonly LightState[] = ["green", "red", "unknown"];

/** Milliseconds after which a tunnel is asked through which nothing came back. */
export const PING_AFTER = 30_000;

/** Milliseconds for which the other side may be silent, and in which it has to answer a ping. */
export const SIGN_OF_LIFE = 6000;

/** Milliseconds for which an answer shows that a tunnel works: until the next has had its time to come. */
const TUNNEL_SHOWN = PING_AFTER + 2 * SIGN_OF_LIFE;

/** Milliseconds for which a connection shows how a service is, at least. */
export const SERVICE_SHOWN = 300_000;

/** When a link asked and was answered; see Link. */
export interface RoundTrips {
  readonly asked: number;
  readonly answered: number;
}

/** How a tunnel is that stands, by what came back through it. */
export function tunnelState({ asked, answered }: RoundTrips, now: number): LightState {
  if (asked > answered && now - asked > SIGN_OF_LIFE) return "red";
  return now - answered > TUNNEL_SHOWN ? "unknown" : "green";
}

export function tunnelLight(trips: RoundTrips, now: number): Light {
  const state = tunnelState(trips, now);
  const at = momentOf(trips.answered, now);
  if (state !== "red") return { state, at };
  const waited = Math.floor((now - trips.asked) / 1000);
  return { state, at, error: `Nothing has come back through it for ${waited} s`, code: "tunnel-silent" };
}

/** A moment of `performance.now()` as ISO 8601; null for -Infinity, which is never. @param now the same clock's */
export function momentOf(at: number, now: number): string | null {
  return at === -Infinity ? null : new Date(Date.now() - (now - at)).toISOString();
}
