import type { z } from "zod";
import { type Config, sections } from "./schema.ts";
import { durationSetting, sizeSetting } from "./units.ts";

/** A value as it stands in the config file. */
export type SettingValue = string | number | boolean | readonly string[];

/** Settings by section ("server", "server.ssh", …) and key. */
export type Settings = Record<string, Record<string, SettingValue>>;

/** The settings that a daemon runs with, defaults included, as they would be written: durations and sizes with a unit. None of them is a secret. */
export function effectiveSettings(config: Config, role: "server" | "client"): Settings {
  return Object.fromEntries(
    sections[role].map(([name, shape]) => {
      const values = name.split(".").reduce((value: unknown, key) => (value as Record<string, unknown>)[key], config);
      return [name, written(values as Record<string, unknown>, shape)];
    }),
  );
}

/** The settings of one section, as they would be written. */
export function written(
  values: Readonly<Record<string, unknown>>,
  shape: Readonly<Record<string, z.ZodType>>,
): Record<string, SettingValue> {
  return Object.fromEntries(
    Object.entries(shape).flatMap(([key, schema]) => {
      const meta = schema.meta() as { doc?: string; fallback?: unknown } | undefined;
      // What has no documentation is a section of its own.
      if (meta?.doc === undefined) return [];
      const value = values[key] as SettingValue;
      // A number in the program that stands as a string in the file has a unit there.
      if (typeof value !== "number" || typeof meta.fallback !== "string") return [[key, value]];
      return [[key, /B$/.test(meta.fallback) ? sizeSetting(value) : durationSetting(value)]];
    }),
  );
}
