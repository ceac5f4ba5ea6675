import process from "node:process";
import { runtimeName } from "../platform/runtime.ts";
import { version } from "../platform/version.ts";
import type { Invocation } from "./commands/command.ts";

export function printVersion({ values }: Invocation): number {
  const { platform, arch } = process;
  const runtime = runtimeName();
  process.stdout.write(
    values["json"] === true
      ? `${JSON.stringify({ version, runtime, platform, arch })}\n`
      : `petit ${version} (${runtime}, ${platform} ${arch})\n`,
  );
  return 0;
}
