import { z } from "zod";
import { parseDuration } from "../../config/units.ts";
import { type AnyOperation, operation, successful } from "../../control/operation.ts";
import type { JoinCodeRecord } from "../../registry/registry.ts";
import { LONGEST_LIFETIME, makeJoinCode, MOST_USES } from "../make_join_code.ts";
import type { ServerControl } from "../server_control.ts";

/** What a code is called by: the beginning of its hash, long enough to be no other's. */
const ID_LENGTH = 16;

const tag = "join codes";

const idSchema = z.string().regex(/^[0-9a-f]{8,64}$/).meta({ examples: ["2c26b46b68ffc68f"] });

const joinCodeSchema = z.object({
  id: idSchema,
  brand: z.string().nullable().meta({ description: "Null where it is for any" }),
  uses: z.int().meta({
    description: "How many clients could use it when it was made; 0 where that is not known any more",
  }),
  usesLeft: z.int(),
  created: z.iso.datetime().nullable(),
  expires: z.iso.datetime(),
  state: z.enum(["open", "used up", "expired"]),
}).meta({ id: "JoinCode", description: "A join code, without the code itself" });

const lifetime = z.string().refine((text) => {
  const milliseconds = parseDuration(text);
  return milliseconds !== undefined && milliseconds > 0 && milliseconds <= LONGEST_LIFETIME;
}, "wanted a time with a unit, such as 30m, 24h or 7d").meta({
  description: "How long it is good for, as a number with one of the units ms, s, m, h and d; ten years at most",
  pattern: String.raw`^[0-9]{1,9}(ms|s|m|h|d)$`,
  examples: ["24h"],
});

const newJoinCode = z.strictObject({
  uses: z.int().min(1).max(MOST_USES).default(1).meta({ description: "How many clients may use it" }),
  expires: lifetime.default("24h"),
  brand: z.string().max(256).default("").meta({ description: "Only for clients of this brand; empty for any" }),
  host: z.string().regex(/^[A-Za-z0-9.:_-]{1,253}$/, "wanted a host name or an address").optional().meta({
    description: "Name or address to put into it, in place of [server] publicHost",
  }),
}).prefault({}).meta({ id: "NewJoinCode" });

/** Join codes: made, listed, revoked. The code itself is told once, to whoever makes it. */
export function joinCodeOperations(control: ServerControl): AnyOperation[] {
  return [
    operation({
      method: "get",
      path: "/join-codes",
      id: "listJoinCodes",
      tag,
      token: "required",
      summary: "All join codes, the newest first",
      answered: "Also those that are used up or expired",
      answer: z.object({ joinCodes: z.array(joinCodeSchema) }).meta({ id: "JoinCodes" }),
      handle: () => {
        const now = Date.now();
        return { joinCodes: control.registry.joinCodes().map((code) => shown(code, now)) };
      },
    }),
    operation({
      method: "post",
      path: "/join-codes",
      id: "makeJoinCode",
      tag,
      summary: "Make a join code",
      body: newJoinCode,
      status: 201,
      answered: "The code; nobody can ask for it again",
      answer: successful.extend({
        id: idSchema,
        code: z.string().meta({ description: "What the customer pastes" }),
        expires: z.iso.datetime(),
        uses: z.int(),
        brand: z.string().nullable(),
        hostKey: z.string().meta({ description: "Fingerprint of the server's host key" }),
        ssh: z.string().meta({ description: "How somebody without petit registers with the code as the password" }),
      }).meta({ id: "MadeJoinCode" }),
      handle: ({ body: { uses, expires, brand, host } }) => {
        const wishes = { uses, lifetime: parseDuration(expires) as number, brand, host };
        const { hash, code, expiresAt, hostKey, ssh } = makeJoinCode(control.config, control.registry, wishes);
        return {
          success: true as const,
          id: hash.slice(0, ID_LENGTH),
          code,
          expires: new Date(expiresAt).toISOString(),
          uses,
          brand: brand === "" ? null : brand,
          hostKey,
          ssh,
        };
      },
    }),
    operation({
      method: "delete",
      path: "/join-codes/{id}",
      id: "revokeJoinCode",
      tag,
      summary: "Make a join code useless; what was registered with it stays",
      params: z.object({ id: idSchema }),
      answered: "It is revoked",
      answer: successful.extend({ id: idSchema, usesLeft: z.int() }).meta({ id: "RevokedJoinCode" }),
      handle: ({ params: { id } }) => {
        const { usesLeft } = control.registry.revokeJoinCode(id);
        return { success: true as const, id, usesLeft };
      },
    }),
  ];
}

function shown({ hash, brand, uses, usesLeft, createdAt, expiresAt }: JoinCodeRecord, now: number) {
  return {
    id: hash.slice(0, ID_LENGTH),
    brand: brand === "" ? null : brand,
    uses,
    usesLeft,
    created: createdAt === 0 ? null : new Date(createdAt).toISOString(),
    expires: new Date(expiresAt).toISOString(),
    state: usesLeft === 0 ? "used up" as const : expiresAt <= now ? "expired" as const : "open" as const,
  };
}
