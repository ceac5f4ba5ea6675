import { z } from "zod";
import { parseDuration } from "../../config/units.ts";
import { type AnyOperation, operation, orNull, successful } from "../../control/operation.ts";
import { type Credential, ownAccessSchema } from "../../registry/access.ts";
import type { AccessControl } from "../access/access_control.ts";
import { LONGEST_LIFETIME } from "../access/make_credential.ts";
import { idSchema, ofRegistration } from "./schemas.ts";

const tag = "access";

const ruleSchema = ownAccessSchema.meta({
  id: "AccessRule",
  description: "Who may call, as in [server.access]; what is left out is as it says there",
});

const effectiveSchema = ownAccessSchema.required().meta({
  id: "EffectiveAccess",
  description: "Who may call, with nothing left open",
});

const accessSchema = z.object({
  access: z.string().meta({ description: "In one line", examples: ["open", "10.0.0.0/8; bearer (2)"] }),
  own: z.union([ruleSchema, z.literal("damaged"), z.null()]).meta({
    description: "What the registration says itself; null where that is nothing, " +
      '"damaged" where it cannot be read and nobody is let in',
  }),
  effective: effectiveSchema,
}).meta({ id: "Access", description: "Who may call a registration" });

const credentialIdSchema = z.string().regex(/^[0-9a-f]{12}$/).meta({ examples: ["3f9a2b1c4d5e"] });

const credentialSchema = z.object({
  id: credentialIdSchema,
  registration: orNull(idSchema).meta({
    description: "Whose callers it lets in; null for all registrations that follow the default",
  }),
  kind: z.enum(["bearer", "basic"]),
  user: z.string().nullable().meta({ description: 'Of a "basic" one' }),
  label: z.string(),
  created: z.iso.datetime(),
  expires: z.iso.datetime().nullable().meta({ description: "Null where it is good until it is revoked" }),
}).meta({ id: "Credential", description: "A token, or a user with a password, without the secret" });

const lifetime = z.string().refine((text) => {
  const milliseconds = parseDuration(text);
  return milliseconds !== undefined && milliseconds > 0 && milliseconds <= LONGEST_LIFETIME;
}, "wanted a time with a unit, such as 12h or 90d").meta({
  description: "How long it is good for, as a number with one of the units ms, s, m, h and d; ten years at most",
  pattern: String.raw`^[0-9]{1,9}(ms|s|m|h|d)$`,
  examples: ["90d"],
});

const newCredential = z.strictObject({
  registration: orNull(idSchema).default(null),
  kind: z.enum(["bearer", "basic"]),
  user: z.string().max(128).default("").meta({ description: 'For "basic": a name without a colon' }),
  password: z.string().min(8).max(256).optional().meta({
    description: "Of the user's own choice; petit makes one where it is left out",
  }),
  label: z.string().max(100).default(""),
  expires: lifetime.optional(),
}).meta({ id: "NewCredential" });

/** Who may call, and with what. Secrets are told once, to whoever has them made. */
export function accessOperations(access: AccessControl): AnyOperation[] {
  return [
    operation({
      method: "get",
      path: "/registrations/{id}/access",
      id: "getAccess",
      tag,
      token: "required",
      summary: "Who may call a registration",
      params: ofRegistration,
      answered: "Its rule",
      answer: accessSchema,
      handle: ({ params: { id } }) => shown(access, id),
    }),
    operation({
      method: "put",
      path: "/registrations/{id}/access",
      id: "setAccess",
      tag,
      summary: "Say who may call a registration, in place of what was said before",
      description: "It holds when this is answered; whoever may not call any more is cut off.",
      params: ofRegistration,
      body: ruleSchema,
      answered: "Its rule",
      answer: accessSchema,
      handle: ({ params: { id }, body }) => {
        access.set(id, body);
        return shown(access, id);
      },
    }),
    operation({
      method: "delete",
      path: "/registrations/{id}/access",
      id: "resetAccess",
      tag,
      summary: "Have the default hold for a registration again; its credentials stay",
      params: ofRegistration,
      answered: "The rule that holds now",
      answer: accessSchema,
      handle: ({ params: { id } }) => {
        access.set(id, null);
        return shown(access, id);
      },
    }),
    operation({
      method: "get",
      path: "/credentials",
      id: "listCredentials",
      tag,
      token: "required",
      summary: "All credentials of callers, the oldest first",
      query: z.object({ registration: idSchema.optional() }),
      answered: "Without their secrets",
      answer: z.object({ credentials: z.array(credentialSchema) }).meta({ id: "Credentials" }),
      handle: ({ query: { registration } }) => ({ credentials: access.credentials(registration).map(told) }),
    }),
    operation({
      method: "post",
      path: "/credentials",
      id: "makeCredential",
      tag,
      summary: "Make a token, or a user with a password",
      body: newCredential,
      status: 201,
      answered: "With its secret; nobody can ask for it again",
      answer: credentialSchema.extend({
        secret: z.string().meta({ description: "The token or the password" }),
      }).meta({ id: "MadeCredential" }),
      handle: async ({ body: { registration, kind, user, password, label, expires } }) => {
        const lifetime = expires === undefined ? null : parseDuration(expires) as number;
        const { credential, secret } = await access.grant({ registration, kind, user, password, label, lifetime });
        return { ...told(credential), secret };
      },
    }),
    operation({
      method: "delete",
      path: "/credentials/{credential}",
      id: "revokeCredential",
      tag,
      summary: "Take a credential back; whoever was let in by it is cut off",
      params: z.object({ credential: credentialIdSchema }),
      answered: "It is revoked",
      answer: successful.extend({ id: credentialIdSchema }).meta({ id: "RevokedCredential" }),
      handle: ({ params: { credential } }) => {
        access.revoke(credential);
        return { success: true as const, id: credential };
      },
    }),
  ];
}

function shown(access: AccessControl, id: string) {
  const { line, own, effective } = access.of(id);
  return { access: line, own, effective };
}

function told({ id, registration, kind, user, label, createdAt, expiresAt }: Credential) {
  return {
    ...{ id, registration, kind, user: kind === "basic" ? user : null, label },
    created: new Date(createdAt).toISOString(),
    expires: expiresAt === null ? null : new Date(expiresAt).toISOString(),
  };
}
