import { z } from "zod";
import { orNull } from "../../control/operation.ts";
import { DISCONNECT_CODES } from "../../tunnel/disconnect_cause.ts";
import { lightsSchema } from "../../tunnel/lights.ts";
import { clientVitae } from "../../tunnel/messages.ts";

/** What the answers of the server's REST API look like. The types are those of server_status.ts and disconnect.ts. */

const moment = () => z.iso.datetime();
const port = () => z.int().min(0).max(65535);

export const idSchema = z.string().min(1).max(64).meta({ description: "Id of a registration", examples: ["1001"] });

/** The path of one registration. */
export const ofRegistration = z.object({ id: idSchema });

const vitaeSchema = clientVitae.meta({ id: "ClientVitae", description: "What a client tells of itself" });

const tunnel = {
  address: z.string().meta({ description: "Address of the client" }),
  since: moment(),
  channels: z.int().meta({ description: "Channels that are open in it" }),
};

const tunnelStatusSchema = z.object(tunnel).meta({ id: "TunnelStatus", description: "The tunnel of a registration" });

const causeCode = z.enum(DISCONNECT_CODES).nullable().meta({ description: "What kind of cause that is" });

export const disconnectSchema = z.object({
  at: z.int().meta({
    description: "When the server saw it or, where it did not, was told of it, in milliseconds since 1970",
  }),
  tunnel: z.string().meta({ description: "The name that both sides have for the tunnel" }),
  ids: z.array(idSchema).readonly().meta({ description: "Registrations that the tunnel carried" }),
  address: z.string().nullable().meta({
    description: "Address of the client; null where the server did not see the end",
  }),
  lasted: z.number().nullable().meta({ description: "How long the tunnel stood, in milliseconds; null if unknown" }),
  cause: z.string().nullable().meta({
    description:
      "Why it ended, as the server saw it; null where it did not, because it was not running or lost its record",
  }),
  code: causeCode,
  clientAt: z.int().nullable().meta({ description: "When it ended, by the client's clock; null until it has told" }),
  clientCause: z.string().nullable().meta({
    description: "Why it ended, as the client saw it; null until it has told",
  }),
  clientCode: causeCode,
}).meta({ id: "Disconnect", description: "The end of a tunnel" });

export const registrationSchema = z.object({
  registeredId: idSchema,
  port: port().meta({ description: "Reverse port" }),
  fingerprint: z.string().meta({ description: "Of the client's public key" }),
  connected: z.boolean(),
  aliases: z.array(z.string()).readonly(),
  vitae: orNull(vitaeSchema),
  brand: z.string(),
  tenant: z.string().meta({ description: "Which of its client's tenants it is" }),
  endpoint: z.string().meta({ description: "URL under which callers reach it" }),
  createdAt: moment(),
  old: z.boolean().meta({ description: "Whether its client is still one of petit 0.6" }),
  tunnel: orNull(tunnelStatusSchema),
  lights: lightsSchema,
}).meta({ id: "Registration", description: "A registration and its tunnel; the first six are those of petit 0.6" });

export const fullStatusSchema = registrationSchema.extend({
  access: z.string().meta({
    description: "Who may call it, in one line",
    examples: ["open", "10.0.0.0/8; bearer (2)"],
  }),
  disconnects: z.array(disconnectSchema).readonly().meta({ description: "The newest first" }),
}).meta({ id: "FullStatus", description: "All there is to know of a registration" });

export const liveTunnelSchema = z.object({
  ...tunnel,
  fingerprint: z.string().meta({ description: "Of the client's public key" }),
  registrations: z.array(idSchema).readonly(),
}).meta({ id: "Tunnel", description: "A live SSH connection of a client" });

/** The server itself. */
export const serverFacts = {
  status: z.enum(["running", "stopping"]),
  version: z.string(),
  pid: z.int(),
  startedAt: moment(),
  ports: z.object({ proxy: port(), secureProxy: port().nullable(), ssh: port() }).meta({
    description: "Ports that are listened on; null for the HTTPS proxy without certificates",
  }),
};

export const serverStatusSchema = z.object({
  ...serverFacts,
  connected: z.int().meta({ description: "How many registrations are connected" }),
  connections: z.array(registrationSchema).readonly(),
}).meta({ id: "Registry", description: "The server and all its registrations" });
