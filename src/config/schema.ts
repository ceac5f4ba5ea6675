import { z } from "zod";
import { allowSchema, client, clientVitae, localSchema } from "./client_settings.ts";
import { server, serverAccess, serverSsh, serverVitae } from "./server_settings.ts";

/**
 * Every setting there is: the type that is accepted, the default, and the sentence that `petit server init` and
 * `petit client init` write above it. Units are part of the value ("5s", "64KiB") and named in the sentence.
 */
export const configSchema = z.strictObject({ server: server.prefault({}), client: client.prefault({}) });

/** Everything that can be set, with defaults filled in: durations in milliseconds, sizes in bytes, paths absolute. */
export type Config = z.output<typeof configSchema>;
export type ServerConfig = Config["server"];
export type AccessConfig = ServerConfig["access"];
export type ClientConfig = Config["client"];
/** What users of this machine who have no token may ask of a daemon. */
export type LocalAccess = ServerConfig["localAccess"];

/** The sections of the config file, in the order in which they are written. */
export const sections: Record<"server" | "client", [name: string, shape: Record<string, z.ZodType>][]> = {
  server: [
    ["server", server.shape],
    ["server.access", serverAccess.shape],
    ["server.ssh", serverSsh.shape],
    ["server.vitae", serverVitae.shape],
  ],
  client: [
    ["client", client.shape],
    ["client.local", localSchema.shape],
    ["client.allow", allowSchema.shape],
    ["client.vitae", clientVitae.shape],
  ],
};
