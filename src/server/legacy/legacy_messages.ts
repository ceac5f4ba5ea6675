import { z } from "zod";
import type { ClientVitae } from "../../tunnel/messages.ts";

/** The version of the backchannel that petit 0.6.x speaks, over plain TCP. */
export const LEGACY_VERSION = 1;

/** A brand where a client tells none, as in 0.6.x. */
const BRAND = "ce";

/** Ids that one handshake may name. */
const MAX_IDS = 1000;

/** As much of a text as is kept. */
const told = z.string().transform((text) => text.slice(0, 256)).optional().catch(undefined);

const vitae = z.object({
  brand: told,
  bundle: told,
  hostname: told,
  arch: told,
  platform: told,
  release: told,
  version: told,
}).transform(({ brand = BRAND, version = "0.6", ...others }): ClientVitae => ({ brand, version, ...others }))
  .catch({ brand: BRAND, version: "0.6" });

/** An id as a registration file may hold it; what is none is nobody's. */
const id = z.union([z.string().max(64), z.int()]).transform(String);

/** One id, or the list of them. */
const ids = z.union([id.transform((one) => [one]), z.array(id).min(1).max(MAX_IDS)]);

/** 256 bytes for a key of 2048 bits; the longest keys are refused. */
const response = z.string().max(4096);

/**
 * What a client of 0.6.x says.
 *
 * | exchange   | client → server        | server → client |
 * |------------|------------------------|-----------------|
 * | register   | register1, register2   | didRegister1    | makes a registration for a public key
 * | handshake  | handshake1             | shakehand1      | a prompt, encrypted to the key of the registrations
 * |            | handshake2, handshake3 | shakehand2      | the prompt again; their ports; what the client tells of itself
 * | unregister | unregister1            | didUnregister1  | a prompt
 * |            | unregister2, 3         | didUnregister2  | takes them away
 * | ping       | ping1                  | didPing1        |
 * | check      | check1                 | didCheck1       | whether there is a newer client
 * | upgrade    | upgrade1               |                 | refused
 */
export const legacyMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ping1") }),
  z.object({ type: z.literal("check1") }),
  z.object({ type: z.literal("upgrade1") }),
  z.object({
    type: z.literal("register1"),
    publicKey: z.string().max(16 * 1024),
    /** A port alone asks for nothing that could be given: it belongs to its id. */
    preferred: z.object({ id, port: z.int().min(0).max(65535).catch(0).default(0) }).nullable().catch(null).default(
      null,
    ),
  }),
  z.object({ type: z.literal("register2") }),
  z.object({ type: z.literal("handshake1"), registeredId: ids }),
  z.object({ type: z.literal("handshake2"), response }),
  z.object({ type: z.literal("handshake3"), vitae }),
  z.object({ type: z.literal("unregister1"), registeredId: ids }),
  z.object({ type: z.literal("unregister2"), response }),
  z.object({ type: z.literal("unregister3") }),
]);
export type LegacyMessage = z.output<typeof legacyMessage>;
