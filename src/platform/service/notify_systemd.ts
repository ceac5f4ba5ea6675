import { spawn } from "node:child_process";
import process from "node:process";

/**
 * Tells systemd that this process is the service's main process from now on (sd_notify(3), MAINPID=), where it runs as a service that may.
 * By systemd's own program, since neither runtime can send a datagram to a Unix socket.
 *
 * @returns whether it was told, or need not be
 */
export function notifyMainProcess(): Promise<boolean> {
  if (process.env["NOTIFY_SOCKET"] === undefined) return Promise.resolve(true);
  return new Promise((resolve) => {
    const child = spawn("systemd-notify", [`MAINPID=${process.pid}`], { stdio: "ignore" });
    child.on("error", () => resolve(false));
    child.on("close", (code) => resolve(code === 0));
  });
}
