import { z } from "zod";
import { type AnyOperation, operation, successful } from "../../control/operation.ts";
import type { ServerControl } from "../server_control.ts";
import { fullStatusSchema, idSchema, ofRegistration, serverFacts, serverStatusSchema } from "./schemas.ts";

/** What 0.6.x answered on the same paths, and one registration in full. */
export function statusOperations(control: ServerControl): AnyOperation[] {
  return [
    operation({
      method: "get",
      path: "/ping",
      id: "ping",
      tag: "status",
      token: "none",
      summary: "Whether the server runs",
      answered: "It does",
      answer: successful,
      handle: () => ({ success: true as const }),
    }),
    operation({
      method: "get",
      path: "/status",
      id: "getStatus",
      tag: "status",
      summary: "The server, and which registrations are connected",
      answered: "Ids; /registry has the rest",
      answer: successful.extend({
        total: z.int(),
        connected: z.array(idSchema),
        disconnected: z.array(idSchema),
        ...serverFacts,
      }).meta({ id: "Status" }),
      handle: () => {
        const { connections, connected: _, ...server } = control.status();
        const ids = (wanted: boolean) =>
          connections.filter(({ connected }) => connected === wanted).map(({ registeredId }) => registeredId);
        return {
          success: true as const,
          total: connections.length,
          connected: ids(true),
          disconnected: ids(false),
          ...server,
        };
      },
    }),
    operation({
      method: "get",
      path: "/registry",
      id: "getRegistry",
      tag: "status",
      summary: "The server and all its registrations, as the command STATUS tells them",
      answered: "Everything; with many registrations /registrations is the better question",
      answer: serverStatusSchema,
      handle: () => control.status(),
    }),
    operation({
      method: "get",
      path: "/status/{id}",
      id: "getStatusOf",
      tag: "status",
      summary: "All there is to know of one registration; its service is probed first",
      params: ofRegistration,
      answered: "The registration, its tunnel and its last disconnects",
      answer: fullStatusSchema,
      handle: async ({ params }) => {
        await control.look(params.id);
        return control.statusOf(params.id);
      },
    }),
  ];
}
