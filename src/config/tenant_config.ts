import { resolve } from "node:path";
import { z } from "zod";
import { checkToml } from "./check_toml.ts";
import { allowSchema, localSchema } from "./client_settings.ts";

/** The private service of a tenant; `tlsCa` is an absolute path, or "". */
export type Local = z.output<typeof localSchema>;

/** What a tenant's own [allow] says; what it leaves out is as in [client.allow]. */
export interface OwnRules {
  readonly methods: readonly string[] | undefined;
  readonly paths: readonly string[] | undefined;
}

const { methods, paths } = allowSchema.shape;
const { host, port, tls, tlsVerify, tlsCa, probe } = localSchema.shape;

/** `tenants/NAME/config.toml`. What is not set in [local] is as in [client.local]. */
export const tenantSchema = z.strictObject({
  name: z.string("wanted a string in quotes").max(256, "wanted a shorter name").optional(),
  index: z.int("wanted a whole number").min(0, "wanted a whole number from 0").optional(),
  local: z.strictObject({
    host: host.unwrap().optional(),
    port: port.unwrap().optional(),
    tls: tls.unwrap().optional(),
    tlsVerify: tlsVerify.unwrap().optional(),
    tlsCa: tlsCa.unwrap().optional(),
    probe: probe.unwrap().optional(),
  }).optional(),
  // Not the services: those are for the whole client.
  allow: z.strictObject({
    methods: methods.unwrap().optional(),
    paths: paths.unwrap().optional(),
  }).optional(),
});

/** A tenant's own config. */
export interface TenantConfig {
  /** What people call it; the folder's name is what counts. */
  readonly name: string | undefined;
  /** Its place in the order of the tenants. */
  readonly index: number | undefined;
  readonly local: Local;
  readonly allow: OwnRules;
}

/**
 * Checks the text of a tenant's config file.
 *
 * @param file for messages
 * @param folder the tenant's; relative paths begin there
 * @param fallback [client.local]
 * @throws PetitError as `checkToml`
 */
export function parseTenantConfig(text: string, file: string, folder: string, fallback: Local): TenantConfig {
  const { name, index, local = {}, allow = {} } = checkToml(text, file, tenantSchema);
  const { tlsCa } = local;
  return {
    name,
    index,
    local: {
      host: local.host ?? fallback.host,
      port: local.port ?? fallback.port,
      tls: local.tls ?? fallback.tls,
      tlsVerify: local.tlsVerify ?? fallback.tlsVerify,
      tlsCa: tlsCa === undefined ? fallback.tlsCa : tlsCa === "" ? "" : resolve(folder, tlsCa),
      probe: local.probe ?? fallback.probe,
    },
    allow: { methods: allow.methods, paths: allow.paths },
  };
}
