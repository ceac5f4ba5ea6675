import { z } from "zod";
import type { LogLevel } from "../observe/log.ts";
import type { DaemonFacilities } from "./daemon_facilities.ts";
import { logEvents } from "./log_events.ts";
import { type AnyOperation, numberInQuery, operation, successful } from "./operation.ts";

export const levelSchema = z.enum(["trace", "debug", "info", "warn", "error", "silent"]).meta({ id: "LogLevel" });

const level = z.object({ level: levelSchema });

const line = z.looseObject({ msg: z.string() }).meta({
  id: "LogLine",
  description: "A line of the log: level, time (ISO 8601), msg, and the fields that say what it is about",
});

/** Lines of a query, of which there are never more than the log's end keeps. */
const lines = (fallback: number) =>
  z.object({
    lines: numberInQuery(0, 1000).default(fallback).meta({ description: "How many lines of the past" }),
  });

/** The log: its end, what is to come, and how much of it there is. */
export function logOperations({ tail, setLevel, log }: DaemonFacilities): AnyOperation[] {
  return [
    operation({
      method: "get",
      path: "/log",
      id: "getLog",
      tag: "log",
      token: "required",
      summary: "The last lines of the log",
      query: lines(100),
      answered: "Lines, the oldest first",
      answer: z.object({ lines: z.array(line) }).meta({ id: "LogLines" }),
      handle: ({ query }) => ({ lines: tail.last(query.lines).map(parsed) }),
    }),
    operation({
      method: "get",
      path: "/log/tail",
      id: "followLog",
      tag: "log",
      token: "required",
      summary: "The log as it is written, as server-sent events",
      description:
        "Each event is a line of the log, as JSON. A reader that is too slow gets an event `missed` with how many lines it lost. " +
        "With Last-Event-ID it goes on where it was.",
      query: lines(0),
      fields: z.object({
        "last-event-id": z.string().max(100).optional().meta({ description: "The id of the last event that was seen" }),
      }),
      answered: "A stream of events without an end",
      type: "text/event-stream",
      answer: z.string(),
      handle: ({ query, fields, method, signal }) =>
        new Response(method === "HEAD" ? null : logEvents(tail, query.lines, fields["last-event-id"], signal), {
          headers: { "content-type": "text/event-stream" },
        }),
    }),
    operation({
      method: "get",
      path: "/log/level",
      id: "getLogLevel",
      tag: "log",
      summary: "How much is logged",
      answered: "The level",
      answer: level.meta({ id: "LogLevelAnswer" }),
      handle: () => ({ level: log.level as LogLevel }),
    }),
    operation({
      method: "put",
      path: "/log/level",
      id: "setLogLevel",
      tag: "log",
      summary: "Log more or less from now on, until the config is read again",
      body: level.meta({ id: "LogLevelChange" }),
      answered: "The level is changed",
      answer: successful.extend({ level: levelSchema }).meta({ id: "LogLevelChanged" }),
      handle: ({ body }) => {
        setLevel(body.level);
        return { success: true as const, level: body.level };
      },
    }),
  ];
}

/** A line as an object; one that was damaged on the disk as its text. */
function parsed(text: string): { msg: string } {
  try {
    const value = JSON.parse(text) as { msg?: unknown } | null;
    if (typeof value === "object" && value !== null) return { ...value, msg: String(value.msg ?? "") };
  } catch {
    // As its text, below.
  }
  return { msg: text };
}
