import { homedir } from "node:os";
import { join } from "node:path";

/** The config file where none is named: `~/.petit/config.toml`, as in 0.6.x. */
export function defaultConfigFile(): string {
  return join(homedir(), ".petit", "config.toml");
}
