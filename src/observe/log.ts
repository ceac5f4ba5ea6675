import process from "node:process";
import pino from "pino";
import pretty from "pino-pretty";

/** Where everything that a daemon has to say goes. Fields first, then the sentence: `log.info({ id }, "Registered")`. */
export type Log = pino.Logger;

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "silent";

/** A log on standard error: lines for people where that is a terminal, JSON lines elsewhere. */
export function createLog(level: LogLevel): Log {
  const options: pino.LoggerOptions = {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
  };
  if (!process.stderr.isTTY) return pino(options, pino.destination({ dest: 2, sync: true }));
  const colorize = !process.env["NO_COLOR"];
  return pino(
    options,
    pretty({ destination: 2, sync: true, colorize, translateTime: "SYS:HH:MM:ss", singleLine: true }),
  );
}

/** A log that keeps quiet. */
export function silentLog(): Log {
  return pino({ level: "silent" });
}
