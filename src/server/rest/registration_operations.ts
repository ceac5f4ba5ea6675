import { z } from "zod";
import { type AnyOperation, numberInQuery, operation, successful } from "../../control/operation.ts";
import { checkedAlias } from "../../registry/alias.ts";
import type { ServerControl } from "../server_control.ts";
import { idSchema, ofRegistration, registrationSchema } from "./schemas.ts";

const ofAlias = ofRegistration.extend({
  alias: z.string().regex(/^[A-Za-z0-9.-]{1,253}$/).meta({ description: "A host name", examples: ["db.example.com"] }),
});

const aliasAnswer = successful.extend({ registeredId: idSchema, alias: z.string() });

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
