import { z } from "zod";
import { flag, logLevel, oneOf, setting, text } from "./setting.ts";
import { duration, port, size } from "./units.ts";

/** Settings that both daemons have; the ports are those of 0.6.x. */
export const daemonSettings = (
  role: "server" | "client",
  ports: { readonly listen: number; readonly api: number },
) => ({
  listenPort: setting(port(), ports.listen, "Port for commands (STATUS, STOP, …), on 127.0.0.1 only"),
  listenSocket: setting(
    text(),
    `./${role}.sock`,
    'Unix socket for the same commands, which only this user can reach; "" is none, and so it is on Windows',
  ),
  apiPort: setting(port(), ports.api, "Port of the REST API, on 127.0.0.1 only"),
  localAccess: setting(
    oneOf("read", "all", "none"),
    "read",
    'What every user of this machine may do without the token, on the ports for commands and REST: "read" sees what petit 0.6 shows, "all" also gives commands such as STOP, as with petit 0.6, "none" does nothing',
  ),
  strictModes: setting(
    flag(),
    true,
    "Whether the daemon refuses to start with a folder or config that other users can write, as sshd does",
  ),
  drainFor: setting(
    duration(0),
    "30s",
    "How long requests and connections in progress may go on when the daemon is asked to stop",
  ),
  logLevel: setting(logLevel(), "info", "How much is logged: trace, debug, info, warn, error or silent"),
  logFolder: setting(text(), "./logs", 'Folder of the log files; "" keeps none'),
  logMaxSize: setting(size(), "10MiB", "Size at which a log file is put away and a new one begun"),
  logMaxFiles: setting(
    z.int("wanted a whole number from 1 to 1000").min(1).max(1000),
    5,
    "How many log files that were put away are kept",
  ),
});

/** As OpenSSH's RekeyLimit, which both ends look after. */
export const rekeySettings = {
  rekeyLimit: setting(
    size().refine((bytes) => bytes === 0 || bytes >= 1024 ** 2, 'wanted "0B", or "1MiB" and more'),
    "1GiB",
    'How much may go through a tunnel, in both directions together, before keys are exchanged anew; "0B" leaves that to the other end',
  ),
  rekeyInterval: setting(
    duration(0).refine((milliseconds) => milliseconds === 0 || milliseconds >= 1000, 'wanted "0s", or "1s" and more'),
    "1h",
    'How old the keys of a tunnel may become; "0s" leaves that to the other end',
  ),
};
