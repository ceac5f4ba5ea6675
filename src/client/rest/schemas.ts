import { z } from "zod";
import { orNull } from "../../control/operation.ts";
import { DISCONNECT_CODES } from "../../tunnel/disconnect_cause.ts";
import { lightsSchema } from "../../tunnel/lights.ts";
import { clientVitae, serverVitae } from "../../tunnel/messages.ts";

/** What the answers of the client's REST API look like. The types are those of client_status.ts. */

const moment = () => z.iso.datetime();
const port = () => z.int().min(0).max(65535);

export const tenantNameSchema = z.string().min(1).max(64).meta({
  description: "Name of a tenant",
  examples: ["default"],
});

/** The same where it is asked for: tenant_name.ts has the rules. */
export const tenantNameInput = z.string().regex(/^[A-Za-z0-9_-][A-Za-z0-9_.-]{0,63}$/).meta({
  description: "Name of a tenant",
  examples: ["default"],
});

export const serviceSchema = z.object({ host: z.string(), port: port(), tls: z.boolean() }).meta({
  id: "Service",
  description: "The private service of a tenant",
});

const tenantFacts = {
  tenant: tenantNameSchema,
  id: z.string().nullable().meta({ description: "Of its registration; null while it has none" }),
  port: port().nullable().meta({ description: "Its reverse port on the server; null while it is not registered" }),
  dir: z.string().meta({ description: "Its folder" }),
  endpoint: z.string().nullable().meta({ description: "URL under which callers reach it" }),
  local: serviceSchema,
  served: z.boolean().meta({ description: "Whether the tunnel carries it" }),
  paused: moment().nullable().meta({
    description: "Since when it is paused, by itself or with the client; null while it is not",
  }),
  lights: lightsSchema,
};

export const tenantStatusSchema = z.object(tenantFacts).meta({
  id: "TenantStatus",
  description: "A tenant and its registration",
});

/** A tenant with the names of 0.6.x beside those of today. */
export const tenantSchema = z.object({
  ...tenantFacts,
  name: tenantNameSchema,
  registered: z.boolean(),
  registeredId: z.string().optional(),
  registeredPort: port().optional(),
  config: z.object({ local: serviceSchema }),
}).meta({
  id: "Tenant",
  description: "A tenant; name, registered, registeredId, registeredPort and config are those of petit 0.6",
});

const clientVitaeSchema = clientVitae.meta({ id: "ClientVitae", description: "What this client tells of itself" });

const serverVitaeSchema = serverVitae.meta({ id: "ServerVitae", description: "What the server told of itself" });

export const disconnectSchema = z.object({
  at: z.int().meta({
    description: "In milliseconds since 1970; where the client was killed, when it began to run again",
  }),
  tunnel: z.string().meta({ description: "The name that both sides have for the tunnel" }),
  ids: z.array(z.string()).readonly().meta({ description: "Registrations that the tunnel carried" }),
  server: z.string().meta({ description: "HOST:PORT of the server" }),
  lasted: z.number().nullable().meta({
    description: "How long the tunnel stood, in milliseconds; null where the client was killed with it",
  }),
  cause: z.string().meta({ description: "Why it ended" }),
  code: z.enum(DISCONNECT_CODES).meta({ description: "What kind of cause that is" }),
  told: z.boolean().meta({ description: "Whether the server has been told" }),
}).meta({ id: "Disconnect", description: "The end of a tunnel, as the client saw it" });

export const clientStatusSchema = z.object({
  status: z.enum(["running", "listening", "stopping"]).meta({
    description: '"running" with a tunnel, "listening" without one',
  }),
  version: z.string(),
  pid: z.int(),
  startedAt: moment(),
  registration: z.array(tenantStatusSchema).readonly(),
  fingerprint: z.string().meta({ description: "Of this client's key" }),
  vitae: clientVitaeSchema,
  server: z.object({ host: z.string(), port: port(), vitae: orNull(serverVitaeSchema) }),
  tunnel: z.object({ since: moment(), channels: z.int() }).nullable().meta({ description: "Null while there is none" }),
  paused: moment().nullable().meta({ description: "Since when the whole client is paused; null while it is not" }),
  waiting: z.object({ code: z.string(), reason: z.string(), nextAttempt: moment().nullable() }).nullable().meta({
    description: "Why there is no tunnel, and when the next attempt is due",
  }),
  disconnects: z.array(disconnectSchema).readonly().meta({ description: "The last few, the newest first" }),
}).meta({ id: "ClientStatus" });

export const probeSchema = z.object({
  tenant: tenantNameSchema,
  id: z.string(),
  reached: z.boolean(),
  milliseconds: z.number().meta({ description: "From question to answer" }),
  code: z.string().optional(),
  error: z.string().optional(),
}).meta({ id: "Probe", description: "One probe, server → tunnel → client → service and back" });

export const checkItemSchema = z.object({
  name: z.string(),
  tenant: z.string().nullable(),
  state: z.enum(["ok", "warning", "failed", "skipped"]),
  detail: z.string(),
  code: z.string().optional(),
  hint: z.string().optional(),
}).meta({ id: "CheckItem", description: "What one check of the set-up found" });
