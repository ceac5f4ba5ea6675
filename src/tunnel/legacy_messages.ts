import { z } from "zod";
import { DEFAULT_BRAND } from "../default_brand.ts";
import type { ClientVitae } from "./messages.ts";

/**
 * What clients and servers of petit 0.6.x tell each other: version 1 of the backchannel, over plain TCP, in the same frames as today's
 * (message_stream.ts). Who has asked for a registration is shown by a prompt that only the private key can decrypt.
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
 *
 * Whatever a server cannot do it answers with `error`.
 */

/** The version of these messages. */
export const LEGACY_VERSION = 1;

/** What a client of 0.6.x answers by itself, to show that the whole way through its server is open. */
export const INTERCEPT_PATH = "/-g2c-intercept";

/** What is taken for the version of a program that tells none. */
const UNTOLD_VERSION = "0.6";

/** A client that tells nothing of itself. */
export const UNTOLD_CLIENT: ClientVitae = { brand: DEFAULT_BRAND, version: UNTOLD_VERSION };

/** A server that tells nothing of itself. */
export const UNTOLD_SERVER: LegacyVitae = { environment: "", endpoint: undefined, version: UNTOLD_VERSION };

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
}).transform(({ brand = UNTOLD_CLIENT.brand, version = UNTOLD_CLIENT.version, ...others }): ClientVitae => ({
  ...{ brand, version },
  ...others,
})).catch(UNTOLD_CLIENT);

/** An id as a registration file may hold it; what is none is nobody's. */
const heldId = z.union([z.string().max(64), z.int()]).transform(String);

/** One id, or the list of them. */
const ids = z.union([heldId.transform((one) => [one]), z.array(heldId).min(1).max(MAX_IDS)]);

/** Base64 of what was encrypted, and of what was decrypted: 256 bytes for a key of 2048 bits; the longest keys are refused. */
const prompt = z.string().max(4096);
const response = prompt;

/** What a client of 0.6.x says. */
export const legacyClientMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("ping1") }),
  z.object({ type: z.literal("check1") }),
  z.object({ type: z.literal("upgrade1") }),
  z.object({
    type: z.literal("register1"),
    publicKey: z.string().max(16 * 1024),
    /** A port alone asks for nothing that could be given: it belongs to its id. */
    preferred: z.object({ id: heldId, port: z.int().min(0).max(65535).catch(0).default(0) }).nullable().catch(null)
      .default(null),
  }),
  z.object({ type: z.literal("register2") }),
  z.object({ type: z.literal("handshake1"), registeredId: ids }),
  z.object({ type: z.literal("handshake2"), response }),
  z.object({ type: z.literal("handshake3"), vitae }),
  z.object({ type: z.literal("unregister1"), registeredId: ids }),
  z.object({ type: z.literal("unregister2"), response }),
  z.object({ type: z.literal("unregister3") }),
]);
export type LegacyClientMessage = z.output<typeof legacyClientMessage>;

/** A server's registry in Redis keeps numbers as text, and gives them as they stand there. */
const port = z.union([z.int(), z.string().regex(/^\d{1,5}$/).transform(Number)]).pipe(z.int().min(1).max(65535));
const givenId = z.union([z.string().min(1).max(256), z.int().transform(String)]);

/** Whatever a server has at hand is its error: a text, or an object that says nothing. */
const error = z.unknown().transform((value) =>
  (typeof value === "string" ? value : JSON.stringify(value) ?? "").slice(0, 1024)
);

const serverVitae = z.object({
  environment: z.string().max(256).catch(""),
  endpoint: z.string().max(1024).optional().catch(undefined),
  version: z.string().max(256).catch(UNTOLD_VERSION),
});
/** What a server tells of itself at the end of a handshake. */
export type LegacyVitae = z.output<typeof serverVitae>;

/** What a server of 0.6.x says. */
export const legacyServerMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("didPing1") }),
  z.object({
    type: z.literal("didRegister1"),
    registeredId: givenId,
    /** Null where there is none left to give: NaN, as it comes out of JSON. */
    registeredPort: port.nullable(),
  }),
  z.object({ type: z.literal("shakehand1"), replacement: z.array(givenId).catch([]), prompt }),
  z.object({
    type: z.literal("shakehand2"),
    /** In the order of the ids that were asked for. */
    bindPort: z.union([port.transform((one) => [one]), z.array(port)]),
    vitae: serverVitae.catch(UNTOLD_SERVER),
  }),
  z.object({ type: z.literal("didUnregister1"), prompt }),
  z.object({ type: z.literal("didUnregister2") }),
  z.object({ type: z.literal("error"), error }),
]);
export type LegacyServerMessage = z.output<typeof legacyServerMessage>;
