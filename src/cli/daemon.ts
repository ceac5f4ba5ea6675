import process from "node:process";
import { createLog, type Log, type LogLevel } from "../observe/log.ts";
import { keepMemorySmall } from "../platform/memory.ts";
import { stopSignal } from "../platform/stop_signal.ts";
import type { Invocation } from "./command.ts";

/** What a daemon in the foreground runs with: a log on standard error, and a signal that ends it. */
export function daemonSetting({ values }: Invocation, level: LogLevel): { log: Log; signal: AbortSignal } {
  const log = createLog(values["verbose"] === true && level !== "trace" ? "debug" : level);
  // No connection's fault may end a daemon. What gets here is a fault of petit's own, and said to be one.
  process.on(
    "uncaughtException",
    (error) => log.error({ err: error, code: "internal" }, "A fault of petit's own; it goes on"),
  );
  process.on(
    "unhandledRejection",
    (error) => log.error({ err: error, code: "internal" }, "A fault of petit's own; it goes on"),
  );
  keepMemorySmall();
  return { log, signal: stopSignal() };
}
