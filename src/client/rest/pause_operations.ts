import { z } from "zod";
import { type AnyOperation, operation, successful } from "../../control/operation.ts";
import type { ClientControl } from "../client_control.ts";
import { tenantNameInput, tenantNameSchema } from "./schemas.ts";

const tenant = tenantNameInput.optional().meta({ description: "Only this tenant; the whole client by default" });

/** The pause switch. */
export function pauseOperations(control: ClientControl): AnyOperation[] {
  const tag = "tenants";
  return [
    operation({
      method: "post",
      path: "/pause",
      id: "pause",
      tag,
      summary: "Let nobody in any more, until /resume",
      description: "It is in force at once, also where the server cannot be told, and is kept over restarts.",
      body: z.object({
        tenant,
        drain: z.boolean().default(false).meta({ description: "Whether connections that are open may go on" }),
      }).prefault({}).meta({ id: "PauseRequest" }),
      answered: "It is paused",
      answer: successful.extend({
        since: z.iso.datetime().meta({ description: "Since when" }),
        ended: z.int().meta({ description: "How many connections were ended" }),
      }).meta({ id: "Paused" }),
      handle: async ({ body }) => ({ success: true as const, ...await control.pause(body.tenant, body.drain) }),
    }),
    operation({
      method: "post",
      path: "/resume",
      id: "resume",
      tag,
      summary: "Let callers in again",
      description: "Tenants that were paused by themselves are resumed by their names only.",
      body: z.object({ tenant }).prefault({}).meta({ id: "ResumeRequest" }),
      answered: "It is not paused any more",
      answer: successful.extend({
        paused: z.array(tenantNameSchema).meta({ description: "Tenants that are still paused" }),
      }).meta({ id: "Resumed" }),
      handle: async ({ body }) => ({ success: true as const, ...await control.resume(body.tenant) }),
    }),
  ];
}
