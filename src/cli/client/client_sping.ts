import type { Probe } from "../../client/client_status.ts";
import { callDaemon } from "../../control/api_client.ts";
import { stopSignal } from "../../platform/stop_signal.ts";
import type { Invocation } from "../commands/command.ts";
import { daemonFolder } from "../daemon/daemon_folder.ts";
import { type Outcome, paceOf, probeSeries } from "./probe_series.ts";
import { textValue } from "../values.ts";

export async function clientSping(invocation: Invocation): Promise<number> {
  const pace = paceOf(invocation);
  const folder = daemonFolder(invocation);
  const tenant = textValue(invocation, "tenant");
  const path = tenant === undefined ? "/sping" : `/sping?tenant=${encodeURIComponent(tenant)}`;
  const signal = stopSignal();
  const call = { folder, role: "client", method: "POST", path, signal } as const;
  return await probeSeries({
    probe: async () => {
      const { probes } = await callDaemon<{ probes: Probe[] }>(call);
      return probes.map(outcomeOf);
    },
    facts: {},
    json: invocation.values["json"] === true,
    signal,
    pace,
  });
}

function outcomeOf({ tenant, id, reached, milliseconds, code, error }: Probe): Outcome {
  const facts = { tenant, registeredId: id };
  if (reached) return { told: `Service of ${id} (${tenant}) reached`, milliseconds, facts };
  return {
    ...{
      told: `Service of ${id} (${tenant}) not reached`,
      milliseconds: null,
      facts,
      error: error ?? "no reason was given",
    },
    ...(code === undefined ? {} : { code }),
  };
}
