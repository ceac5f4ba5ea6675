import process from "node:process";

/**
 * Heeds the signals that a daemon is steered with: SIGTERM and SIGINT ask it to stop in order, and a second one ends it at once; SIGHUP asks it to read
 * its config again. They are handled, and not left to the system, because a container's first process gets no other ones; and they are heeded
 * until the process is gone: one that comes when everything is closed must not make the exit code of a daemon that has stopped in order another one.
 */
export function heedSignals(on: { stop(): void; reload(): void }): void {
  let asked = false;
  const stop = () => {
    if (asked) process.exit(1);
    asked = true;
    on.stop();
  };
  const signals: [NodeJS.Signals, () => void][] = [["SIGTERM", stop], ["SIGINT", stop]];
  // On Windows it says that the console is being closed.
  if (process.platform !== "win32") signals.push(["SIGHUP", on.reload]);
  for (const [signal, heed] of signals) process.on(signal, heed);
}
