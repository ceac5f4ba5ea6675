import type { ServerConfig } from "../config/schema.ts";
import type { Log } from "../observe/log.ts";
import { UsageRecord } from "./usage_record.ts";

/**
 * The usage record that `[server] usageUrl` names, or undefined where it names none. Never fails: a file that cannot be used
 * is logged and tried again.
 *
 * @param now milliseconds since 1970
 */
export function openUsage(
  config: Pick<ServerConfig, "usageUrl" | "usageBucket" | "usageRetention">,
  log: Log,
  now: () => number = Date.now,
): UsageRecord | undefined {
  if (config.usageUrl === "") return undefined;
  const record = new UsageRecord({
    path: config.usageUrl.slice("sqlite:".length),
    bucket: config.usageBucket,
    // A reload changes it in place.
    get retention() {
      return config.usageRetention;
    },
    log,
    now,
  });
  // A damaged file is told of now, and not after the first request.
  void record.flush();
  return record;
}
