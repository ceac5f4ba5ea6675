import process from "node:process";
import { z } from "zod";
import { type AnyOperation, numberInQuery, operation, successful } from "../../control/operation.ts";
import { checkClient } from "../check.ts";
import type { ClientControl } from "../client_control.ts";
import { checkItemSchema, clientStatusSchema, disconnectSchema, probeSchema, tenantNameInput } from "./schemas.ts";

/** Milliseconds for all checks of a set-up. */
const CHECKED_WITHIN = 60_000;

const milliseconds = z.number().meta({ description: "From question to answer" });

/** How the client is, and whether callers get through to its services. */
export function statusOperations(control: ClientControl, configFile: string): AnyOperation[] {
  const tag = "status";
  return [
    operation({
      method: "get",
      path: "/status",
      id: "getStatus",
      tag,
      summary: "The client, its tunnel and its registrations",
      answered: "As the command STATUS tells it",
      answer: successful.extend({ pid: z.int(), status: clientStatusSchema }).meta({ id: "Status" }),
      handle: async () => {
        await control.look();
        return { success: true as const, pid: process.pid, status: control.status() };
      },
    }),
    operation({
      method: "get",
      path: "/ping",
      id: "ping",
      tag,
      summary: "Whether the server answers through the tunnel",
      answered: "It does",
      answer: successful.extend({ milliseconds }).meta({ id: "Pinged" }),
      handle: async () => ({ success: true as const, milliseconds: await control.ping() }),
    }),
    operation({
      method: "post",
      path: "/sping",
      id: "sping",
      tag,
      token: "reading",
      summary: "Have the server reach the services through the tunnel",
      query: z.object({ tenant: tenantNameInput.optional() }),
      answered: "What came of each probe; success means that all services were reached",
      answer: z.object({
        success: z.boolean(),
        type: z.literal("didPing1").meta({ description: "For scripts of petit 0.6" }),
        probes: z.array(probeSchema).readonly(),
      }).meta({ id: "Probed" }),
      handle: async ({ query }) => {
        const probes = await control.probe(query.tenant);
        return { success: probes.every(({ reached }) => reached), type: "didPing1" as const, probes };
      },
    }),
    operation({
      method: "get",
      path: "/check",
      id: "check",
      tag,
      token: "optional",
      summary: "Check the set-up, from the config file to the services",
      description:
        "Without the token it only says, as in petit 0.6, whether there is an upgrade. With it, it takes as long as the server and the services take.",
      answered: "What was found",
      answer: successful.extend({
        type: z.literal("didCheck1"),
        patch: z.object({ update: z.literal(false) }).meta({
          description: "Whether there is an upgrade, for scripts of petit 0.6",
        }),
        ok: z.boolean().optional().meta({ description: "Nothing has failed" }),
        items: z.array(checkItemSchema).readonly().optional(),
      }).meta({ id: "Checked" }),
      handle: async ({ authorized, signal: gone }) => {
        const answer = { success: true as const, type: "didCheck1" as const, patch: { update: false as const } };
        if (!authorized) return answer;
        const signal = AbortSignal.any([gone, AbortSignal.timeout(CHECKED_WITHIN)]);
        return { ...answer, ...await checkClient({ file: configFile, signal }) };
      },
    }),
    operation({
      method: "get",
      path: "/disconnects",
      id: "listDisconnects",
      tag,
      token: "required",
      summary: "The last tunnels that ended, with the cause",
      query: z.object({ limit: numberInQuery(1, 1000).default(50) }),
      answered: "The newest first",
      answer: z.object({ disconnects: z.array(disconnectSchema) }).meta({ id: "Disconnects" }),
      handle: ({ query }) => ({ disconnects: control.disconnects(query.limit) }),
    }),
  ];
}
