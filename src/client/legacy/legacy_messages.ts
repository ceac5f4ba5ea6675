import { z } from "zod";

/**
 * What a server of 0.6.x says on its backchannel: version 1 of the messages, over plain TCP, in the same frames as today's
 * (message_stream.ts). Who has asked for a registration is shown by a prompt that only the private key can decrypt.
 */

/** The version of these messages. */
export const LEGACY_VERSION = 1;

/** Its registry in Redis keeps numbers as text, and gives them as they stand there. */
const port = z.union([z.int(), z.string().regex(/^\d{1,5}$/).transform(Number)]).pipe(z.int().min(1).max(65535));
const id = z.union([z.string().min(1).max(256), z.int().transform(String)]);
const prompt = z.string().max(4096);

/** Whatever it has at hand is its error: a text, or an object that says nothing. */
const error = z.unknown().transform((value) =>
  (typeof value === "string" ? value : JSON.stringify(value) ?? "").slice(0, 1024)
);

export const legacyMessage = z.discriminatedUnion("type", [
  z.object({ type: z.literal("didPing1") }),
  z.object({
    type: z.literal("didRegister1"),
    registeredId: id,
    /** Null where there is none left to give: NaN, as it comes out of JSON. */
    registeredPort: port.nullable(),
  }),
  z.object({ type: z.literal("shakehand1"), replacement: z.array(id).catch([]), prompt }),
  z.object({
    type: z.literal("shakehand2"),
    /** In the order of the ids that were asked for. */
    bindPort: z.union([port.transform((one) => [one]), z.array(port)]),
    vitae: z.object({
      environment: z.string().max(256).catch(""),
      endpoint: z.string().max(1024).optional().catch(undefined),
      version: z.string().max(256).catch("0.6"),
    }).catch({ environment: "", endpoint: undefined, version: "0.6" }),
  }),
  z.object({ type: z.literal("didUnregister1"), prompt }),
  z.object({ type: z.literal("didUnregister2") }),
  z.object({ type: z.literal("error"), error }),
]);
export type LegacyMessage = z.output<typeof legacyMessage>;
/** What the server tells of itself at the end of a handshake. */
export type LegacyVitae = (LegacyMessage & { type: "shakehand2" })["vitae"];
