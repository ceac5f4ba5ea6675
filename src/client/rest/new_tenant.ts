import { z } from "zod";
import { tenantNameInput } from "./schemas.ts";

/** A text that can stand in a config file. */
export const textSchema = z.string().regex(/^[^\x00-\x1f\x7f-\x9f]*$/, "wanted a text without control characters")
  .refine((text) => text.isWellFormed(), "wanted a text without halves of characters");

const port = z.int().min(1).max(65535);

/** Scripts of 0.6.x send the port as a text too. */
const portOrText = z.union([
  port,
  z.string().regex(/^[1-9]\d{0,4}$/).transform(Number).refine((number) => number <= 65535, "wanted a port up to 65535"),
]);

/** What a new tenant may be told; the rest is as in [client.local]. */
export const newTenantSchema = z.object({
  tenant: tenantNameInput.optional().meta({ description: "Its name; the next number by default" }),
  host: z.string().regex(/^[A-Za-z0-9._:%-]{1,253}$/, "wanted a host name or an address").optional().meta({
    description: "Host of the private service",
  }),
  port: portOrText.optional().meta({ description: "Port of the private service" }),
  tls: z.boolean().optional().meta({ description: "Whether the service speaks TLS" }),
  tlsVerify: z.boolean().optional().meta({ description: "Whether its certificate is verified" }),
  probe: textSchema.max(256).optional().meta({ description: "How the server sees whether the service is well" }),
  tlsCa: textSchema.max(4096).optional().meta({ description: "File with the certificates that it may be signed by" }),
}).prefault({}).meta({ id: "NewTenant", examples: [{ host: "localhost", port: 5432 }] });
