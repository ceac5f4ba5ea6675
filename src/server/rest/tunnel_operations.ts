import { z } from "zod";
import { type AnyOperation, numberInQuery, operation } from "../../control/operation.ts";
import type { ServerControl } from "../server_control.ts";
import { disconnectSchema, liveTunnelSchema } from "./schemas.ts";

/** Tunnels that stand, and those that ended. */
export function tunnelOperations(control: ServerControl): AnyOperation[] {
  return [
    operation({
      method: "get",
      path: "/tunnels",
      id: "listTunnels",
      tag: "tunnels",
      token: "required",
      summary: "The live tunnels: one for each client that is connected",
      answered: "All of them",
      answer: z.object({ tunnels: z.array(liveTunnelSchema) }).meta({ id: "Tunnels" }),
      handle: () => ({ tunnels: control.tunnels() }),
    }),
    operation({
      method: "get",
      path: "/disconnects",
      id: "listDisconnects",
      tag: "tunnels",
      token: "required",
      summary: "The last tunnels that ended, with the cause as each side saw it",
      query: z.object({ limit: numberInQuery(1, 10_000).default(100) }),
      answered: "The newest first",
      answer: z.object({ disconnects: z.array(disconnectSchema) }).meta({ id: "Disconnects" }),
      handle: ({ query }) => ({ disconnects: control.disconnects(query.limit) }),
    }),
  ];
}
