import { z } from "zod";
import { version } from "../platform/version.ts";
import type { DaemonFacilities } from "./daemon_facilities.ts";
import { type AnyOperation, operation, successful } from "./operation.ts";

/** What a reload came to. */
export const reloadedSchema = z.object({
  changed: z.array(z.string()).meta({
    description: "Settings in force from now on",
    examples: [["server.idleTimeout"]],
  }),
  restartNeeded: z.array(z.string()).meta({ description: "Settings that take effect at the next start" }),
});

/** The daemon itself: its version, its metrics, reload and stop. */
export function lifeOperations({ role, reload, stop, restart, metrics }: DaemonFacilities): AnyOperation[] {
  return [
    operation({
      method: "get",
      path: "/version",
      id: "getVersion",
      tag: "daemon",
      token: "none",
      summary: "The version",
      answered: "Name and version of this petit",
      answer: successful.extend({
        name: z.string(),
        version: z.string(),
        display: z.string().meta({ description: "The version as people see it" }),
      }).meta({ id: "Version" }),
      handle: () => ({ success: true as const, name: "petit", version, display: version }),
    }),
    metricsOperation(metrics),
    operation({
      method: "post",
      path: "/reload",
      id: "reload",
      tag: "daemon",
      summary: "Read the config file again",
      description: "Tunnels and connections go on, as far as their settings have not changed.",
      answered: "What has changed",
      answer: successful.extend(reloadedSchema.shape).meta({ id: "Reloaded" }),
      handle: async () => ({ success: true as const, ...shown(await reload()) }),
    }),
    operation({
      method: "post",
      path: "/restart",
      id: "restart",
      tag: "daemon",
      summary: `Have a new process take the place of the ${role}`,
      description:
        "It reads the config anew and takes over the ports, so that no caller is refused; this process goes on with what is in progress for as long as drainFor says. The answer comes when the new process is ready; where it cannot be, nothing has changed.",
      answered: "The process that takes over",
      answer: successful.extend({ pid: z.int() }).meta({ id: "Restarting" }),
      handle: async () => ({ success: true as const, ...await restart() }),
    }),
    operation({
      method: "post",
      path: "/stop",
      id: "stop",
      tag: "daemon",
      summary: `Stop the ${role}`,
      description: "What is in progress may go on for as long as drainFor says. The answer comes before.",
      answered: "It is stopping",
      answer: successful.meta({ id: "Stopping" }),
      handle: () => {
        setTimeout(stop, 50);
        return { success: true as const };
      },
    }),
  ];
}

function metricsOperation(metrics: DaemonFacilities["metrics"]): AnyOperation {
  return operation({
    method: "get",
    path: "/metrics",
    id: "getMetrics",
    tag: "daemon",
    summary: "Figures for Prometheus",
    answered: "The text format of Prometheus",
    type: "text/plain",
    answer: z.string(),
    handle: async () => new Response(await metrics.metrics(), { headers: { "content-type": metrics.contentType } }),
  });
}

/** The lists of a reload as the API tells them. */
export function shown(
  { changed, restartNeeded }: { readonly changed: readonly string[]; readonly restartNeeded: readonly string[] },
): { changed: string[]; restartNeeded: string[] } {
  return { changed: [...changed], restartNeeded: [...restartNeeded] };
}
