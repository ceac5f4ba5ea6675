import process from "node:process";
import { z } from "zod";
import { configChangeOperation, runningSettings, settingsSchema } from "../../control/config_operations.ts";
import type { DaemonFacilities } from "../../control/daemon_facilities.ts";
import { FORMER, LOG_LEVELS, logLevel } from "../../control/daemon_words.ts";
import { lifeOperations } from "../../control/life_operations.ts";
import { levelSchema, logOperations } from "../../control/log_operations.ts";
import { type AnyOperation, operation, successful } from "../../control/operation.ts";
import { serveApi, type ServedApi } from "../../control/serve_api.ts";
import { PetitError } from "../../error.ts";
import type { ClientControl } from "../client_control.ts";
import { pauseOperations } from "./pause_operations.ts";
import { serviceSchema, tenantNameInput } from "./schemas.ts";
import { statusOperations } from "./status_operations.ts";
import { tenantNamed } from "./tenant_named.ts";
import { tenantOperations } from "./tenant_operations.ts";

export interface ClientApiParts extends Omit<DaemonFacilities, "role"> {
  readonly control: ClientControl;
}

const TAGS = {
  status: "How the client is",
  tenants: "The services that it exposes",
  config: "Settings",
  log: "The log",
  daemon: "The client itself",
};

/** Serves the REST API of a client on 127.0.0.1, port [client] apiPort. @throws PetitError where the port cannot be used */
export function serveClientApi(parts: ClientApiParts): Promise<ServedApi> {
  const { control, log, folder, configFile } = parts;
  const facilities: DaemonFacilities = { ...parts, role: "client" };
  const operations = [
    ...statusOperations(control, configFile),
    ...tenantOperations(control),
    ...pauseOperations(control),
    ...configOperations(control),
    configChangeOperation(facilities),
    ...logOperations(facilities),
    ...formerOperations(facilities),
    ...lifeOperations(facilities),
  ];
  const about =
    'What a petit client knows and does. It listens on 127.0.0.1 only. What changes something needs the token; what only tells something does where [client] localAccess is "none".';
  return serveApi(
    {
      title: "petit client",
      about,
      tags: TAGS,
      folder,
      log,
      operations,
      localAccess: () => control.config.localAccess,
    },
    control.config.apiPort,
    "[client] apiPort",
  );
}

/** In 0.6.x these two only said that the config was fine. */
function configOperations(control: ClientControl): AnyOperation[] {
  const of = { method: "get", tag: "config", token: "optional" } as const;
  return [
    operation({
      ...of,
      path: "/config",
      id: "getConfig",
      summary: "The settings that the client runs with",
      answered: "All of them with the token, none without",
      answer: successful.extend({ config: settingsSchema.optional() }).meta({ id: "Config" }),
      handle: ({ authorized }) => ({
        success: true as const,
        ...(authorized ? { config: runningSettings("client", control.config) } : {}),
      }),
    }),
    operation({
      ...of,
      path: "/config/{id}",
      id: "getTenantConfig",
      summary: "The settings of a tenant",
      params: z.object({ id: tenantNameInput }),
      answered: "All of them with the token, none without",
      answer: successful.extend({ config: z.object({ local: serviceSchema }).optional() }).meta({ id: "TenantConfig" }),
      handle: ({ params, authorized }) => {
        const { local } = tenantNamed(control, params.id);
        return { success: true as const, ...(authorized ? { config: { local } } : {}) };
      },
    }),
  ];
}

/** What scripts of 0.6.x ask for and nobody else needs. */
function formerOperations({ setLevel }: DaemonFacilities): AnyOperation[] {
  const tag = "daemon";
  return [
    operation({
      method: "post",
      path: "/log",
      id: "setLogLevelByMessage",
      tag: "log",
      summary: "As PUT /log/level, with the names of petit 0.6",
      body: z.object({ msg: z.enum([...LOG_LEVELS, ...FORMER.keys()]).meta({ description: "The level" }) }).meta({
        id: "LogMessage",
      }),
      answered: "The level is changed",
      answer: successful.extend({ level: levelSchema }).meta({ id: "LogLevelTaken" }),
      handle: ({ body }) => {
        const level = logLevel(FORMER.get(body.msg) ?? body.msg);
        setLevel(level);
        return { success: true as const, level };
      },
    }),
    operation({
      method: "post",
      path: "/start",
      id: "start",
      tag,
      summary: "Says that the client runs: nothing else could answer",
      answered: "It runs",
      answer: successful.extend({ pid: z.int() }).meta({ id: "Started" }),
      handle: () => ({ success: true as const, pid: process.pid }),
    }),
    operation({
      method: "post",
      path: "/upgrade",
      id: "upgrade",
      tag,
      summary: "Not supported: always answered with 501",
      answered: "Never given",
      answer: successful,
      handle: () => {
        throw new PetitError("not-supported", "Upgrades by this API are not supported yet", {
          hint: "Replace the executable and restart the client",
        });
      },
    }),
  ];
}
