import { z } from "zod";
import { type AnyOperation, numberInQuery, operation, successful } from "../../control/operation.ts";
import { DEFAULT_BRAND } from "../../default_brand.ts";
import { checkedAlias } from "../../registry/alias.ts";
import { DEFAULT_TENANT, isTenantName } from "../../tenant_name.ts";
import { readPublicKey } from "../../tunnel/public_key_text.ts";
import type { ServerControl } from "../server_control.ts";
import { idSchema, ofRegistration, registrationSchema } from "./schemas.ts";

const ofAlias = ofRegistration.extend({
  alias: z.string().regex(/^[A-Za-z0-9.-]{1,253}$/).meta({ description: "A host name", examples: ["db.example.com"] }),
});

const aliasAnswer = successful.extend({ registeredId: idSchema, alias: z.string() });

/** Characters of a public key, its comment included; a body has room for more. */
const MAX_KEY = 16 * 1024;

const done = { success: true as const };

/** Registrations page by page, and what can be done to one. */
export function registrationOperations(control: ServerControl): AnyOperation[] {
  const tag = "registrations";
  return [
    operation({
      method: "get",
      path: "/registrations",
      id: "listRegistrations",
      tag,
      token: "required",
      summary: "Registrations page by page, in the order of their ids",
      query: z.object({
        after: z.string().regex(/^\d{1,15}$/).optional().meta({
          description: "The id that the page before ended with",
        }),
        limit: numberInQuery(1, 1000).default(100),
        connected: z.enum(["true", "false"]).optional().meta({ description: "Only those that are, or are not" }),
        search: z.string().max(200).optional().meta({
          description: "Part of an id, an alias, a brand, a tenant or a host name of the client",
        }),
      }),
      answered: "A page",
      answer: z.object({
        registrations: z.array(registrationSchema),
        next: z.string().nullable().meta({ description: "What to ask for with `after`; null on the last page" }),
        total: z.int().meta({ description: "How many there are on all pages" }),
      }).meta({ id: "RegistrationPage" }),
      handle: ({ query: { after, limit, connected, search } }) =>
        control.page({
          limit,
          ...(after === undefined ? {} : { after }),
          ...(connected === undefined ? {} : { connected: connected === "true" }),
          ...(search === undefined ? {} : { search }),
        }),
    }),
    operation({
      method: "post",
      path: "/registrations",
      id: "registerKey",
      tag,
      summary: "Make a registration for a public key, whose owner needs no petit",
      description: "What the key has already under the same name is left as it is, and told.",
      body: z.strictObject({
        key: z.string().min(1).max(MAX_KEY).meta({
          description: "A public key: one line as OpenSSH has it, or RFC 4716",
          examples: ["ssh-ed25519 AAAA… somebody"],
        }),
        localName: z.string().refine(isTenantName, 'wanted at most 64 letters, digits, "-", "_" and "."').default(
          DEFAULT_TENANT,
        ).meta({ description: "Which of its owner's services it is", pattern: "^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$" }),
        brand: z.string().min(1).max(256).default(DEFAULT_BRAND),
      }).meta({ id: "NewRegistration" }),
      status: 201,
      answered: "It is there",
      answer: successful.extend({
        registeredId: idSchema,
        registeredPort: z.int(),
        endpoint: z.string(),
        tenant: z.string(),
        brand: z.string(),
        fingerprint: z.string().meta({ description: "Of the public key" }),
        hostKey: z.string().meta({ description: "Fingerprint of the server's host key" }),
        ssh: z.string().meta({ description: "What its owner types with OpenSSH" }),
        plink: z.string().meta({ description: "And with PuTTY" }),
      }).meta({ id: "RegisteredKey" }),
      handle: async ({ body: { key, localName: tenant, brand } }) => {
        const { ssh: { pubkeyAcceptedAlgorithms } } = control.config;
        const wishes = { key: readPublicKey(Buffer.from(key), pubkeyAcceptedAlgorithms), tenant, brand };
        return { ...done, ...await control.registerKey(wishes) };
      },
    }),
    operation({
      method: "delete",
      path: "/registrations/{id}",
      id: "unregister",
      tag,
      summary: "Take a registration away, for good",
      params: ofRegistration,
      answered: "It is gone",
      answer: successful.extend({ registeredId: idSchema }).meta({ id: "Unregistered" }),
      handle: ({ params: { id } }) => {
        control.unregister(id);
        return { ...done, registeredId: id };
      },
    }),
    operation({
      method: "post",
      path: "/registrations/{id}/disconnect",
      id: "disconnect",
      tag,
      summary: "End the tunnel of a registration; its client will connect again",
      params: ofRegistration,
      answered: "It is disconnected",
      answer: successful.extend({ registeredId: idSchema }).meta({ id: "Disconnected" }),
      handle: ({ params: { id } }) => {
        control.disconnect(id);
        return { ...done, registeredId: id };
      },
    }),
    operation({
      method: "put",
      path: "/registrations/{id}/aliases/{alias}",
      id: "addAlias",
      tag,
      summary: "Reach a registration under another host name too",
      params: ofAlias,
      answered: "The alias leads there",
      answer: aliasAnswer.meta({ id: "AliasAdded" }),
      handle: ({ params: { id, alias: typed } }) => {
        const alias = checkedAlias(typed);
        control.addAlias(id, alias);
        return { ...done, registeredId: id, alias };
      },
    }),
    operation({
      method: "delete",
      path: "/registrations/{id}/aliases/{alias}",
      id: "removeAlias",
      tag,
      summary: "Take such a host name away",
      params: ofAlias,
      answered: "The alias leads nowhere",
      answer: aliasAnswer.meta({ id: "AliasRemoved" }),
      handle: ({ params: { id, alias: typed } }) => {
        const alias = checkedAlias(typed);
        control.removeAlias(id, alias);
        return { ...done, registeredId: id, alias };
      },
    }),
  ];
}
