import pino from "pino";

/**
 * Where everything that a daemon has to say goes. Fields first, then the sentence: `log.info({ id }, "Registered")`.
 *
 * The same thing has the same name in every line:
 *
 * | field     | what                                                                                |
 * |-----------|-------------------------------------------------------------------------------------|
 * | `id`      | the registration, `ids` where a tunnel serves several                               |
 * | `tenant`  | the client's name of it                                                             |
 * | `key`     | fingerprint of the client's public key, "SHA256:…"                                  |
 * | `address` | IP address of the peer: of the client at the gateway, of the caller elsewhere       |
 * | `channel` | number under which the server knows the SSH channel, in the client's log too        |
 * | `request` | names one piece of work for a caller, as in refusals and in the access log          |
 * | `code`    | stable name of what went wrong; "internal" is a fault of petit's own                |
 * | `err`     | the error itself, with its stack: faults of petit's own, and of its surroundings    |
 * | `cause`   | why a tunnel ended, in words                                                        |
 * | `hint`    | what can be done                                                                    |
 * | `repeated`| how many more of this kind were left out before                                     |
 * | `port`    | a port that is listened on, `endpoint` the URL, `server` the HOST:PORT of the server|
 *
 * Nothing secret: no join code or its secret, no password, private key, token, nor the content of requests.
 */
export type Log = pino.Logger;

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error" | "silent";

/** Fields that would hold a secret if somebody logged one by mistake. */
const SECRETS = ["secret", "password", "token", "joinCode", "privateKey", "privatePem", "authorization", "cookie"];

/** How a line of the log looks. */
export function logOptions(level: LogLevel): pino.LoggerOptions {
  return {
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: SECRETS, censor: "[secret]" },
  };
}

/** A log that keeps quiet. */
export function silentLog(): Log {
  return pino({ level: "silent" });
}
