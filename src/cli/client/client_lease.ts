import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { resolve } from "node:path";
import process from "node:process";
import { lease, type LeaseRequest } from "../../client/lease.ts";
import { checkTenantName } from "../../tenant_name.ts";
import { messageOf, PetitError } from "../../error.ts";
import { decodeJoinCode } from "../../tunnel/join_code.ts";
import { clientContext } from "./client_context.ts";
import { registerTenant } from "./client_register.ts";
import type { Invocation } from "../commands/command.ts";
import { tellDaemon } from "./tell_daemon.ts";
import { textValue } from "../values.ts";

export async function clientLease(invocation: Invocation): Promise<number> {
  const { values, positionals: [code] } = invocation;
  const registers = values["register"] === true;
  if (code !== undefined && !registers) {
    throw new PetitError("usage", `"${code}" stands alone`, {
      hint: "A join code follows --register, a name follows -t",
      exitCode: 2,
    });
  }
  // Everything that was typed is looked at before anything is made.
  const joinCode = code === undefined ? undefined : decodeJoinCode(code);
  const { config, file, folder, json, option } = clientContext(invocation);
  const tenant = lease(folder, config.local, requestOf(invocation, config.local.tls), config.allow);
  const { name, dir, index, local } = tenant;
  if (!json) {
    const tls = local.tls ? `, TLS ${local.tlsVerify ? "verified" : "not verified"}` : "";
    process.stdout.write(`Tenant   ${name} (${dir})\nService  ${local.host}:${local.port}${tls}\n`);
  }
  const registration = registers
    ? await registerTenant({ config, file, folder, tenant: name, joinCode }).catch((error) => {
      throw made(name, option, error);
    })
    : null;
  const told = await tellDaemon(folder, "client");
  if (json) {
    process.stdout.write(`${JSON.stringify({ tenant: name, index, dir, local, registration, daemon: told.daemon })}\n`);
  } else if (registration === null) {
    process.stdout.write(
      `\nNext: "petit client register -t ${name}${option}" with a join code from the server's operator.\n`,
    );
  } else {
    process.stdout.write(
      `Endpoint ${registration.endpoint}\nTCP port ${registration.port} on the server, for callers there\n` +
        (told.daemon === "reloaded"
          ? "\nThe running client serves it now.\n"
          : `\nNext: "petit client start${option}" connects.\n`),
    );
  }
  return 0;
}

/** What went wrong after the tenant was made, so that nobody makes it again. */
function made(name: string, option: string, error: unknown): unknown {
  if (!(error instanceof PetitError)) return error;
  const { code, message, hint, exitCode } = error;
  const next = `The tenant is there: "petit client register -t ${name}${option}" registers it`;
  return new PetitError(code, `Made the tenant "${name}", but did not register it: ${message}`, {
    hint: hint === undefined ? next : `${hint}. ${next}`,
    exitCode,
    cause: error,
  });
}

/** @throws PetitError `usage`, `tenant-name-invalid` or `ca-unusable` */
function requestOf(invocation: Invocation, tlsByDefault: boolean): LeaseRequest {
  const { values } = invocation;
  const [tenant, host, port, ca] = ["tenant", "host", "port", "ca"].map((name) => textValue(invocation, name));
  if (tenant !== undefined) checkTenantName(tenant);
  const tls = values["tls"] === true || tlsByDefault;
  const insecure = values["insecure"] === true;
  if ((insecure || ca !== undefined) && !tls) {
    throw usage(`${insecure ? "--insecure" : "--ca"} is about the certificate of a TLS service`, "Add -s");
  }
  if (insecure && ca !== undefined) {
    throw usage("--insecure and --ca exclude each other", "With --insecure no certificate is looked at");
  }
  if (host !== undefined && isIP(host) === 0 && !/^[^\s\p{Cc}:/[\]]+$/u.test(host)) {
    throw usage(`"${host}" is not a host`, "Wanted: a name or an address, such as localhost; the port follows -p");
  }
  return {
    ...(tenant === undefined ? {} : { tenant }),
    ...(host === undefined ? {} : { host }),
    ...(port === undefined ? {} : { port: portOf(port) }),
    ...(values["tls"] === true ? { tls: true } : {}),
    ...(insecure ? { tlsVerify: false } : {}),
    ...(ca === undefined ? {} : { tlsCa: certificatesFile(ca), tlsVerify: true }),
  };
}

function portOf(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : 0;
  if (port < 1 || port > 65535) throw usage(`"${text}" is not a port`, "Wanted: a number from 1 to 65535");
  return port;
}

/** A file that will be needed for each connection had better be there. */
function certificatesFile(typed: string): string {
  const file = resolve(typed);
  let content: string;
  try {
    content = readFileSync(file, "utf8");
  } catch (error) {
    throw new PetitError("ca-unusable", `Cannot read the certificates "${file}": ${messageOf(error)}`, {
      exitCode: 2,
      cause: error,
    });
  }
  if (content.includes("-----BEGIN CERTIFICATE-----")) return file;
  throw new PetitError("ca-unusable", `"${file}" holds no certificate`, {
    hint: 'Wanted: a PEM file, with "-----BEGIN CERTIFICATE-----" in it',
    exitCode: 2,
  });
}

const usage = (message: string, hint: string) => new PetitError("usage", message, { hint, exitCode: 2 });
