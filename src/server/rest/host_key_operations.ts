import { z } from "zod";
import { type AnyOperation, operation, orNull, successful } from "../../control/operation.ts";
import type { ServerControl } from "../server_control.ts";
import { idSchema } from "./schemas.ts";

/** Milliseconds for the clients that are connected to say that they know the next key, before whoever made it is told. */
const SETTLED_WITHIN = 2000;

const tag = "host key";

const keySchema = z.object({
  fingerprint: z.string().meta({ examples: ["SHA256:uNiVztksCsDhcc0u9e8BrrQXVUpKZIDTMczCvj3tD2s"] }),
  since: z.iso.datetime().meta({ description: "The date of its file" }),
}).meta({ id: "HostKey", description: "A host key of the server" });

const unawareSchema = z.array(z.object({ ids: z.array(idSchema).readonly(), connected: z.boolean() })).readonly().meta({
  description: "Clients that do not know the next key, by the ids of their registrations",
});

const statusSchema = z.object({
  current: keySchema.meta({ description: "What is shown to whoever connects" }),
  next: orNull(
    keySchema.extend({
      aware: z.int().meta({ description: "How many clients know it" }),
      unaware: unawareSchema,
    }).meta({ id: "NextHostKey", description: "What the current key vouches for" }),
  ),
  former: orNull(
    z.object({ fingerprint: z.string().nullable(), file: z.string() }).meta({
      id: "FormerHostKey",
      description: "The one before, which is of no use any more",
    }),
  ),
  clients: z.int().meta({ description: "How many are registered" }),
  openJoinCodes: z.int().meta({
    description: "They name the current key, and are of no use when another one takes its place",
  }),
}).meta({ id: "HostKeys", description: "The server's host keys" });

/** The host key, and how it is replaced without clients being touched. */
export function hostKeyOperations(control: ServerControl): AnyOperation[] {
  const { hostKeys } = control;
  return [
    operation({
      method: "get",
      path: "/host-key",
      id: "getHostKey",
      tag,
      token: "required",
      summary: "The host keys, and which clients know the next one",
      answered: "All of them",
      answer: statusSchema,
      handle: () => hostKeys.status(),
    }),
    operation({
      method: "post",
      path: "/host-key/rotate",
      id: "rotateHostKey",
      tag,
      summary: "Make the next host key, and have the current one vouch for it",
      answered:
        "It is made; the clients that are connected were told, and those that are not will be when they connect",
      answer: successful.extend(statusSchema.shape).meta({ id: "RotatedHostKey" }),
      handle: async () => {
        hostKeys.rotate();
        await hostKeys.settle(SETTLED_WITHIN);
        return { success: true as const, ...hostKeys.status() };
      },
    }),
    operation({
      method: "post",
      path: "/host-key/finish",
      id: "finishHostKey",
      tag,
      summary: "Make the next host key the current one",
      body: z.strictObject({
        force: z.boolean().default(false).meta({
          description: "Also where clients do not know it; they have to register anew then",
        }),
      }).prefault({}).meta({ id: "FinishHostKey" }),
      answered: "From the next connection on the server shows it",
      answer: successful.extend({
        ...statusSchema.shape,
        left: unawareSchema,
        revokedJoinCodes: z.int().meta({ description: "They named the former key" }),
      }).meta({ id: "FinishedHostKey" }),
      handle: ({ body: { force } }) => {
        const { unaware: left, revokedJoinCodes } = hostKeys.finish(force);
        return { success: true as const, ...hostKeys.status(), left, revokedJoinCodes };
      },
    }),
    operation({
      method: "post",
      path: "/host-key/abort",
      id: "abortHostKey",
      tag,
      summary: "Give up the next host key; clients forget it",
      answered: "It is taken away",
      answer: successful.extend(statusSchema.shape).meta({ id: "AbortedHostKey" }),
      handle: () => {
        hostKeys.abort();
        return { success: true as const, ...hostKeys.status() };
      },
    }),
  ];
}
