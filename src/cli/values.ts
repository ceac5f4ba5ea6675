import { PetitError } from "../error.ts";
import { defaultConfigFile } from "../platform/paths.ts";
import type { Invocation } from "./commands/command.ts";

/** The value of a string option, or undefined. */
export function textValue({ values }: Invocation, name: string): string | undefined {
  const value = values[name];
  return typeof value === "string" ? value : undefined;
}

/** The config file that `--config` names, or the default one. */
export function configFile(invocation: Invocation): string {
  return textValue(invocation, "config") ?? defaultConfigFile();
}

/** Splits "HOST:PORT", "[::1]:PORT" or, where a port is given for it, "HOST". @throws PetitError `usage` */
export function hostAndPort(text: string, option: string, fallbackPort?: number): { host: string; port: number } {
  const match = /^(?:\[([0-9A-Fa-f:.]+)\]|([^:[\]]+))(?::(\d{1,5}))?$/.exec(text);
  const host = match?.[1] ?? match?.[2];
  const port = match?.[3] === undefined ? fallbackPort : Number(match[3]);
  if (host === undefined || port === undefined || port < 1 || port > 65535) {
    const wanted = fallbackPort === undefined
      ? "HOST:PORT, such as localhost:5432"
      : `HOST or HOST:PORT, such as petit.example.com:${fallbackPort}`;
    throw new PetitError("usage", `"${text}" is not an address for ${option}`, {
      hint: `Wanted: ${wanted}`,
      exitCode: 2,
    });
  }
  return { host, port };
}
