import { defaultConfigFile } from "../../platform/paths.ts";
import type { Option } from "./command.ts";

/** Options that mean the same wherever they stand. */
export const config: Record<string, Option> = {
  config: {
    type: "string",
    short: "c",
    value: "FILE",
    help: `the config file (default ${defaultConfigFile()})`,
  },
};
export const verbose: Record<string, Option> = { verbose: { type: "boolean", short: "v", help: "log more" } };
export const json: Record<string, Option> = { json: { type: "boolean", help: "print facts as JSON" } };
