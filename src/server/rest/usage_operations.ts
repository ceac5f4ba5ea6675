import { z } from "zod";
import { type AnyOperation, operation } from "../../control/operation.ts";
import { DEFAULT_BRAND } from "../../default_brand.ts";
import { PetitError } from "../../error.ts";
import {
  answerCount,
  answerRegisters,
  answerStats,
  answerUsage,
  countAnswer,
  statsAnswer,
  usageAnswer,
} from "../../usage/usage_answers.ts";
import { usageRange } from "../../usage/usage_range.ts";
import type { UsageRecord } from "../../usage/usage_record.ts";
import type { ServerControl } from "../server_control.ts";
import { ofRegistration } from "./schemas.ts";

const tag = "usage";

const moment = (what: string) =>
  z.string().max(80).optional().meta({
    description: `${what}: a date such as 2026-01-31 or 2026-01-31T12:00:00Z, or milliseconds since 1970`,
    examples: ["2026-01-31"],
  });

const range = z.object({ start: moment("30 days before the end by default"), end: moment("Now by default") });

const brand = z.object({
  "elements-g2c-brand": z.string().max(256).default(DEFAULT_BRAND).meta({
    description: "Whose registrations are counted",
  }),
});

const count = countAnswer.meta({ id: "Count" });

/** What callers did, as it was asked for in 0.6.x. */
export function usageOperations(control: ServerControl, usage: UsageRecord | undefined): AnyOperation[] {
  const record = () => {
    if (usage !== undefined) return usage;
    throw new PetitError("usage-off", "No usage record is kept", {
      hint: "Set [server] usageUrl and restart the server",
    });
  };
  const asked = ({ start, end }: { start?: string | undefined; end?: string | undefined }) =>
    usageRange(start, end, Date.now());
  const counted = (path: "errors" | "requests") =>
    operation({
      method: "get",
      path: `/counts/${path}`,
      id: path === "errors" ? "countErrors" : "countRequests",
      tag,
      summary: path === "errors" ? "How many requests failed" : "How many requests there were",
      query: range.extend({
        type: z.string().max(40).optional().meta({
          description: "success, error, unavailable, errors or requests, in place of the path's own",
        }),
        code: z.string().regex(/^\d{3}$/).optional().meta({
          description: "Only those that were answered with this status",
        }),
      }),
      fields: brand,
      answered: "A number",
      answer: count,
      handle: ({ query, fields }) =>
        answerCount(record(), asked(query), {
          type: query.type ?? path,
          code: query.code === undefined ? undefined : Number(query.code),
          brand: fields["elements-g2c-brand"],
        }),
    });
  return [
    operation({
      method: "get",
      path: "/usage/{id}",
      id: "getUsage",
      tag,
      summary: "What callers did with a registration, over time",
      params: ofRegistration,
      query: range,
      answered: "Figures by stretch of time",
      answer: usageAnswer.meta({ id: "Usage" }),
      handle: ({ params, query }) => answerUsage(record(), params.id, asked(query)),
    }),
    operation({
      method: "get",
      path: "/stats/{id}",
      id: "getStats",
      tag,
      summary: "What callers did with a registration, in sum",
      params: ofRegistration,
      query: range,
      answered: "Figures of the whole time",
      answer: statsAnswer.meta({ id: "Stats" }),
      handle: ({ params, query }) => answerStats(record(), params.id, asked(query)),
    }),
    operation({
      method: "get",
      path: "/counts/registers",
      id: "countRegisters",
      tag,
      summary: "How many registrations were made",
      query: range,
      fields: brand,
      answered: "A number",
      answer: count,
      handle: ({ query, fields }) => answerRegisters(record(), asked(query), fields["elements-g2c-brand"]),
    }),
    operation({
      method: "get",
      path: "/counts/registrations",
      id: "countRegistrations",
      tag,
      summary: "How many registrations there are",
      answered: "A number",
      answer: count,
      handle: () => ({ count: control.page({ limit: 1 }).total }),
    }),
    counted("errors"),
    counted("requests"),
  ];
}
