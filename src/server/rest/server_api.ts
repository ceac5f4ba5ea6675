import type { AuditLog } from "../../audit/audit_log.ts";
import { configChangeOperation, runningSettings, settingsSchema } from "../../control/config_operations.ts";
import type { DaemonFacilities } from "../../control/daemon_facilities.ts";
import { lifeOperations } from "../../control/life_operations.ts";
import { logOperations } from "../../control/log_operations.ts";
import { operation, successful } from "../../control/operation.ts";
import { serveApi, type ServedApi } from "../../control/serve_api.ts";
import type { UsageRecord } from "../../usage/usage_record.ts";
import type { ServerControl } from "../server_control.ts";
import { accessOperations } from "./access_operations.ts";
import { auditOperations } from "./audit_operations.ts";
import { hostKeyOperations } from "./host_key_operations.ts";
import { joinCodeOperations } from "./join_code_operations.ts";
import { registrationOperations } from "./registration_operations.ts";
import { statusOperations } from "./status_operations.ts";
import { tunnelOperations } from "./tunnel_operations.ts";
import { usageOperations } from "./usage_operations.ts";

export interface ServerApiParts extends Omit<DaemonFacilities, "role"> {
  readonly control: ServerControl;
  /** Undefined where none is kept. */
  readonly usage: UsageRecord | undefined;
  /** Undefined where none is kept. */
  readonly audit: AuditLog | undefined;
}

const TAGS = {
  status: "What the server knows",
  registrations: "Registrations and what can be done to them",
  tunnels: "Clients that are connected, and those that were",
  "join codes": "What a new client registers with",
  access: "Who may call",
  "host key": "By what clients know the server",
  usage: "What callers did",
  audit: "What concerns security, in the order in which it happened",
  config: "Settings",
  log: "The log",
  daemon: "The server itself",
};

/** Serves the REST API of a server on 127.0.0.1, port [server] apiPort. @throws PetitError where the port cannot be used */
export function serveServerApi(parts: ServerApiParts): Promise<ServedApi> {
  const { control, usage, audit, log, folder } = parts;
  const facilities: DaemonFacilities = { ...parts, role: "server" };
  const operations = [
    ...statusOperations(control),
    ...registrationOperations(control),
    ...tunnelOperations(control),
    ...joinCodeOperations(control),
    ...accessOperations(control.access),
    ...hostKeyOperations(control),
    ...usageOperations(control, usage),
    ...auditOperations(audit),
    operation({
      method: "get",
      path: "/config",
      id: "getConfig",
      tag: "config",
      token: "required",
      summary: "The settings that the server runs with",
      answered: "All of them, defaults included",
      answer: successful.extend({ config: settingsSchema }).meta({ id: "Config" }),
      handle: () => ({ success: true as const, config: runningSettings("server", control.config) }),
    }),
    configChangeOperation(facilities),
    ...logOperations(facilities),
    ...lifeOperations(facilities),
  ];
  const about =
    'What a petit server knows and does. It listens on 127.0.0.1 only. What changes something needs the token; what only tells something does where [server] localAccess is "none".';
  return serveApi(
    {
      title: "petit server",
      about,
      tags: TAGS,
      folder,
      log,
      operations,
      localAccess: () => control.config.localAccess,
      onRefused: (code) => audit?.recordOften("permission-refused", `REST ${code}`, { code, where: "REST API" }),
    },
    control.config.apiPort,
    "[server] apiPort",
  );
}
