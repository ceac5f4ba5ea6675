import process from "node:process";
import { PetitError } from "../../error.ts";
import { Launchd } from "./launchd.ts";
import { isRoot, type ServiceManager } from "./service_manager.ts";
import { Systemd } from "./systemd.ts";
import { WindowsTask } from "./windows_task.ts";

/**
 * The service manager of this machine.
 *
 * @param scope whose services; by default the whole machine's for root and this user's for others
 * @throws PetitError `service-unsupported`
 */
export function thisServiceManager(scope: "system" | "user" = isRoot() ? "system" : "user"): ServiceManager {
  switch (process.platform) {
    case "linux":
      return new Systemd(scope);
    case "darwin":
      return new Launchd(scope);
    case "win32":
      return new WindowsTask();
    default:
      throw new PetitError("service-unsupported", `petit does not know the service manager of ${process.platform}`, {
        hint: 'Have it run "petit server run" or "petit client run"',
      });
  }
}
