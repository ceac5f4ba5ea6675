import { z } from "zod";
import { effectiveSettings, type Settings, type SettingValue } from "../config/effective.ts";
import { type Config, sections } from "../config/schema.ts";
import { changeConfig } from "./change_config.ts";
import type { DaemonFacilities } from "./daemon_facilities.ts";
import { reloadedSchema, shown } from "./life_operations.ts";
import { type AnyOperation, operation, successful } from "./operation.ts";

const value = z.union([z.string(), z.number(), z.boolean(), z.array(z.string()).readonly()]);

/** Settings by section and key. */
export const settingsSchema = z.record(z.string(), z.record(z.string(), value)).meta({
  id: "Settings",
  description: "By section and key, as they would be written in the config file: durations and sizes with a unit",
  examples: [{ server: { idleTimeout: "75s" }, "server.ssh": { port: 2222 } }],
});

/** The running settings of a daemon's own part of the config, as `effectiveSettings` shows them. */
export function runningSettings(role: "server" | "client", running: Config["server"] | Config["client"]): Settings {
  return effectiveSettings({ [role]: running } as unknown as Config, role);
}

/** Every setting of a role by its full name, with what it may be; any of them may be left out. */
function changesSchema(role: "server" | "client"): z.ZodType {
  const settings = sections[role].flatMap(([section, shape]) =>
    Object.entries(shape).flatMap(([key, schema]) => {
      const meta = schema.meta() as { doc?: string; fallback?: unknown } | undefined;
      if (meta?.doc === undefined) return [];
      const { innerType } = schema.def as unknown as { innerType: z.ZodType };
      const description = `${meta.doc}; by default ${JSON.stringify(meta.fallback)}`;
      return [[`${section}.${key}`, innerType.optional().meta({ description })]];
    })
  );
  return z.strictObject(Object.fromEntries(settings)).meta({
    id: "ConfigChanges",
    description: "New values by section and key",
    examples: [role === "server" ? { "server.idleTimeout": "90s" } : { "client.reconnectDelayMax": "60s" }],
  });
}

/** Changes of the config, which both daemons take alike. */
export function configChangeOperation({ role, configFile, reload }: DaemonFacilities): AnyOperation {
  return operation({
    method: "patch",
    path: "/config",
    id: "changeConfig",
    tag: "config",
    summary: "Change settings in the config file",
    description:
      "The file is checked as a whole and written as a whole, or not at all; comments stay. Then it is read again as by /reload.",
    body: changesSchema(role),
    answered: "What has changed",
    answer: successful.extend(reloadedSchema.shape).meta({ id: "ConfigChanged" }),
    handle: async ({ raw }) => {
      // As it came: a duration is a text in the file, and a number once it is checked.
      changeConfig(configFile, role, raw as Record<string, SettingValue>);
      return { success: true as const, ...shown(await reload()) };
    },
  });
}
