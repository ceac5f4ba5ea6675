import process from "node:process";

/**
 * A signal that is aborted when the process is asked to stop: SIGTERM (service managers, containers) or SIGINT (Ctrl-C). Asked a second
 * time, it ends at once.
 */
export function stopSignal(): AbortSignal {
  const controller = new AbortController();
  const stop = () => {
    if (controller.signal.aborted) process.exit(1);
    controller.abort();
  };
  process.on("SIGTERM", stop);
  process.on("SIGINT", stop);
  return controller.signal;
}
