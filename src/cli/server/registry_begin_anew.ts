import process from "node:process";
import { refuseFormer } from "../../config/former_settings.ts";
import { loadConfig } from "../../config/load.ts";
import { PetitError } from "../../error.ts";
import { lockFolder } from "../../platform/folder_lock.ts";
import { beginAnew } from "../../registry/begin_anew.ts";
import { registryFile } from "../../registry/open_registry.ts";
import type { Invocation } from "../commands/command.ts";
import { withAudit } from "./with_audit.ts";
import { configFile, textValue } from "../values.ts";

export function registryBeginAnew(invocation: Invocation): number {
  const known = {
    id: wholeNumber(invocation, "last-id", 999_999_999_999_999),
    port: wholeNumber(invocation, "last-port", 65_535),
  };
  const { config, folder, former } = loadConfig(configFile(invocation));
  refuseFormer("server", former);
  const file = registryFile(config.server.registryUrl);
  // A server that runs has the former file open, and would go on with it.
  const lock = lockFolder(folder, "server");
  try {
    const { after, kept } = beginAnew(file, known, Date.now());
    withAudit(
      config.server,
      (audit) => audit.record("registry-begun-anew", { lastId: String(after.id), lastPort: after.port, kept }),
    );
    const facts = { registry: file, lastId: String(after.id), lastPort: after.port, kept };
    process.stdout.write(
      invocation.values["json"] === true
        ? `${JSON.stringify(facts)}\n`
        : `The registry "${file}" is empty, and goes on after id ${after.id} and port ${after.port}.\n` +
          kept.map((name) => `What was left of the former one is kept as "${name}".\n`).join("") +
          'Each client has to register anew: "petit server join" prints a join code.\n',
    );
  } finally {
    lock.release();
  }
  return 0;
}

/** 0 where it is not given. @throws PetitError `usage` */
function wholeNumber(invocation: Invocation, option: string, most: number): number {
  const text = textValue(invocation, option);
  if (text === undefined) return 0;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= most) return value;
  throw new PetitError("usage", `"${text}" is not a number for --${option}`, {
    hint: `Wanted: a whole number from 1 to ${most}`,
    exitCode: 2,
  });
}
